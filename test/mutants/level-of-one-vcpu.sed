# core/follow.c: a vCPU without a timer does not matter
s/online >> \*vp & 1/*vp == 0/
