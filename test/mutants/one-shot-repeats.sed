# core/stimer.c: a one-shot timer stays enabled after its expiry
/} else {/{n;d}
