# core/stimer.c: COUNT = 0 does not stop a one-shot timer
# conformance: stimer.count-zero
/if (!count)/{N;s/.*/	if (0)\n		timer->config = 0;/}; s/ || !timer->count)/ || (!timer->count \&\& is_periodic(timer)))/
