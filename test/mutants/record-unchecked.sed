# core/record.c: timers from a record are taken as they are
s/return !bad && !sc_stimer_impossible(timer, now);/return !bad;/
