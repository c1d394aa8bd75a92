# core/stimer.c: a periodic timer fires once
# conformance: direct.periodic
/^bool sc_stimer_expire/,/^}/s/if (is_periodic(timer))/if (0)/
