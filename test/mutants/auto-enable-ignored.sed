# core/stimer.c: a write of COUNT enables nothing
# conformance: stimer.auto-enable
/else if (timer->config & SC_STIMER_AUTO_ENABLE)/{N;d}
