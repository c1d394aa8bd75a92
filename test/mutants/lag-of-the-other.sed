# core/offset.c: each bound is loosened by the lag of the wrong counter
s/(int64_t)handoff->source_lag_ns/(int64_t)handoff->target_lag_ns/
