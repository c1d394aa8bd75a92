# core/rate.c: a slow counter's readings count as exact
s/return NS_PER_S \/ hz + .*/return hz ? 1 : 0;/
