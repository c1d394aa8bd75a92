# core/stimer.c: reserved bits of a configuration are taken
# conformance: stimer.reserved-bit-63
s/if (config & SC_STIMER_RESERVED_MASK)/if (0)/
