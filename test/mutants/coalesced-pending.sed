# core/stimer.c: an expiry that meets one that waits is not counted
/^	if (timer->pending)$/{n;s/timer->coalesced++/(void)0/}
