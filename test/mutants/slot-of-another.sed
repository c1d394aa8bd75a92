# core/synic.c: every message goes into the first slot
s/ + sint \* sizeof(struct sc_message)//
