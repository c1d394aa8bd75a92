# core/stimer.c: periods that passed unseen are not counted
s/(late \/ step + 1) \* periods/periods/
