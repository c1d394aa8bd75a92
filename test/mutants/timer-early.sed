# core/stimer.c: a timer fires one unit early
# conformance: direct.oneshot
s/now.v < timer->due.v/now.v + 1 < timer->due.v/
