# core/record.c: a counter that is about to wrap is taken
s/ || stop->counter.v >= COUNTER_MAX//
