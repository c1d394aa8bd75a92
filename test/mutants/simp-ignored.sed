# core/synic.c: messages go though their page is off
# conformance: synic.simp-off-waits
s/ || !(synic->simp & SC_SIMP_ENABLE)//
