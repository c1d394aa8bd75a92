# core/follow.c: what is inferred is told as declared
s/.inferred = !declares(partition) && page_enabled(partition),/.inferred = false,/
