# core/stimer.c: a period may be as short as the guest likes
s/timer->count < SC_STIMER_PERIOD_MIN/false/
