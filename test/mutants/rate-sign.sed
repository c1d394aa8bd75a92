# core/offset.c: the rate has the wrong sign
s/moved < 0 ? -1 : 1/moved < 0 ? 1 : -1/
