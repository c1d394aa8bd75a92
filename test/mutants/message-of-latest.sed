# core/stimer.c: the queued message stands for the latest expiry
# conformance: synic.periodic-oldest
/timer->coalesced++;/{n;s/^	else/	if (1)/}
