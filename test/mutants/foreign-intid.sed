# core/intid.c: a guest may claim the INTID of KVM's virtual timer
s/1u << 27 | //
