# core/follow.c: the vCPU that has no timer is not named
s/find_timerless(partition, online, &follow.vp)/find_timerless(partition, online, \&(uint32_t){ 0 })/
