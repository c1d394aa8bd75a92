# core/stimer.c: the queued message stands for the latest expiry
/timer->coalesced++;/{n;s/^	else/	if (1)/}
