# core/register.c: a guest goes back to the raw counter while it is being prepared
s/if (raw_hz \&\& partition->asked != SC_ASK_NOTHING)/if (false)/
