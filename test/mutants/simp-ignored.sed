# core/synic.c: messages go though their page is off
s/ || !(synic->simp & SC_SIMP_ENABLE)//
