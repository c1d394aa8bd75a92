# core/follow.c: a page that is invalid proves that the clock is on it
s/return partition->clock.scale != 0;/return true;/
