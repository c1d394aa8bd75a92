# core/stimer.c: an edge that meets another is not counted
/^	if (is_periodic(timer))$/{N;s/timer->coalesced++/(void)0/}
