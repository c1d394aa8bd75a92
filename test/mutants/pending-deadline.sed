# core/partition.c: an expiry that is being delivered hides no later deadline, but is one
s/!timer->armed || timer->pending ||/!timer->armed ||/
