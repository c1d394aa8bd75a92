# core/resume.c: a rebase forgets the fraction of a unit, so that thousands of them add up
s/ | (uint64_t)sc_clock_position(clock, stop->counter);/;/
