# core/offset.c: bounds do not age
s/return (int64_t)sc_muldiv_up(age/return 0 * (int64_t)sc_muldiv_up(age/
