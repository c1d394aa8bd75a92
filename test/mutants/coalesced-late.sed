# core/stimer.c: periods that passed unseen are not counted
s/timer->coalesced += late \/ timer->count;//
