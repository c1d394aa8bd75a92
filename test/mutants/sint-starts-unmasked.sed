# core/synic.c: SINTs are not masked at reset
# conformance: reset.sints
s/synic->sint\[n\] = SC_SINT_RESET/synic->sint[n] = 0/
