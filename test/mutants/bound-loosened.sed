# core/offset.c: a looser bound replaces a tight one
s/seen.high_ns < known.high_ns/seen.high_ns > known.high_ns/
