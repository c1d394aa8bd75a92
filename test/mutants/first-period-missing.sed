# core/stimer.c: a periodic timer fires as soon as it is armed
# conformance: direct.periodic-first
s/is_periodic(timer) ? sc_add_saturating(now.v, step_of(timer, &periods))/is_periodic(timer) ? now.v/
