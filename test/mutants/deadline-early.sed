# core/rate.c: an architectural timer's deadline is rounded down
s/sc_muldiv_up(deadline.v - from.v/sc_muldiv(deadline.v - from.v/
