# core/rate.c: the scale of every page is a few parts in 10^6 too small
# conformance: clock.page-scale
s|return hz > SC_REF_HZ ? sc_fraction(SC_REF_HZ, hz) : 0;|return hz > SC_REF_HZ ? sc_fraction(SC_REF_HZ, hz) \& ~0xffffffffffull : 0;|
