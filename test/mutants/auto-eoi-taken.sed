# core/synic.c: a SINT may ask for an automatic end of interrupt
# conformance: synic.auto-eoi
/if (sint & SC_SINT_AUTO_EOI)/{N;d}; s/(SC_SINT_AUTO_EOI | SC_SINT_AS_INTERCEPT/(SC_SINT_AS_INTERCEPT/
