# core/stimer.c: a write does not lower the interrupt line
# conformance: direct.rewriting-handler
s/timer->asserted = false;//
