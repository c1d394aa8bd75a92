# core/stimer.c: a write of COUNT enables a timer without auto-enable
# conformance: stimer.count-kept
s/else if (timer->config & SC_STIMER_AUTO_ENABLE)/else/
