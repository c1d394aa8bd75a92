# core/offset.c: statements count on after a counter was stepped
s/handoff->stated = false;/;/
