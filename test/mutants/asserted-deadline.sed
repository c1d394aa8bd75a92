# core/partition.c: a line that is up is raised again at each period
s/ || timer->asserted || (found/ || (found/
