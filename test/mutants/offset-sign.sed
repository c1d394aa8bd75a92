# core/clock.c: the offset counts with the wrong sign
s|return elapsed(clock->hz, clock->scale, counter) + (|return elapsed(clock->hz, clock->scale, counter) - (|
