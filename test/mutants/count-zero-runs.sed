# core/stimer.c: COUNT = 0 does not stop a timer
/if (!count)/{N;s/.*/	if (0)\n		timer->config = 0;/}; s/ || !timer->count)/)/
