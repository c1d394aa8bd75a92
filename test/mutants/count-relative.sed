# core/stimer.c: a one-shot timer's COUNT is a distance, not a time
# conformance: direct.oneshot
s/is_periodic(timer) ? sc_add_saturating(now.v, step_of(timer, \&periods)) : timer->count/sc_add_saturating(now.v, timer->count)/
