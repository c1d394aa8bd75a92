# core/intid.c: a guest may claim the INTID of KVM's virtual timer
# conformance: stimer.intid-27
s/1u << 27 | //
