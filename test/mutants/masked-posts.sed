# core/synic.c: a masked SINT gets messages
s/ || value & SC_SINT_MASKED)/)/
