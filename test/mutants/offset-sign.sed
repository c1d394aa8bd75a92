# core/clock.c: the offset counts with the wrong sign
# conformance: clock.register-between-pages
s|return elapsed(clock->hz, clock->scale, counter) + (|return elapsed(clock->hz, clock->scale, counter) - (|
