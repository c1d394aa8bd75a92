# core/resume.c: frozen time counts the gap
s/policy == SC_CLOCK_FREEZE ? sc_ns(0) : gap/policy == SC_CLOCK_FREEZE ? gap : gap/
