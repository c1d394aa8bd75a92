# core/stimer.c: a periodic timer that was served late stays late
s/timer->count - late % timer->count)/timer->count)/
