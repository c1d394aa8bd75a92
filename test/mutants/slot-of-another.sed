# core/synic.c: every message goes into the first slot
# conformance: synic.message
s/ + sint \* sizeof(struct sc_message)//
