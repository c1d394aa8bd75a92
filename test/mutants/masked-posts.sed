# core/synic.c: a masked SINT gets messages
# conformance: synic.masked-waits
s/ || value & SC_SINT_MASKED)/)/
