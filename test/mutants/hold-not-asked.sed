# core/hold.c: a guest that was asked to prepare only waits for ever
s/partition->asked == SC_ASK_HOLD \&\& /partition->asked != SC_ASK_NOTHING \&\& /
