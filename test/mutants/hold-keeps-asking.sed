# core/hold.c: what was asked stays asked when the guest goes on
s/partition->asked = SC_ASK_NOTHING;/(void)0;/
