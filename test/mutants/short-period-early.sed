# core/stimer.c: a stretched period is rounded down
s/(SC_STIMER_PERIOD_MIN + timer->count - 1) \/ timer->count/SC_STIMER_PERIOD_MIN \/ timer->count/
