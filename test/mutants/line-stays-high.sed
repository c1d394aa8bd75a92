# core/stimer.c: a write does not lower the interrupt line
s/timer->asserted = false;//
