# core/resume.c: a rebase without a gap may lose a part of a unit that the guest has seen
s/while ((finest_time(clock, start) - seen) >> 127)/while (sc_clock_read(clock, start).v == stop->reference.v - 1)/
