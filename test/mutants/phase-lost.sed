# core/stimer.c: a periodic timer that was served late stays late
s/sc_add_saturating(now.v, timer->count - late)/sc_add_saturating(now.v, timer->count)/; s/late = (now.v - timer->due.v) % timer->count;/late = 0; (void)late;/
