# core/stimer.c: a periodic timer that was served late stays late
# conformance: direct.periodic-phase
s/timer->count - late % timer->count)/timer->count)/
