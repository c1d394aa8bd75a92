# core/stimer.c: the periods that a stretched one stands for are not counted
s/(late \/ step + 1) \* periods - 1/late \/ step/
