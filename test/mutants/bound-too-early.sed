# core/offset.c: the bound is that of the moment that was reckoned, not of the latest possible one
s/late = sc_add_saturating(late, .*/late = 0;/
