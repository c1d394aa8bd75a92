/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How many lines of one kind go into the log: at most LOG_LIMIT_LINES in LOG_LIMIT_WINDOW_NS, then only their number.
 *
 * Policy: pure; time is an argument. Nobody who can provoke a line can fill the disk with it, and no line is left out
 * without being counted.
 */
#ifndef VMM_BASE_LOG_LIMIT_H
#define VMM_BASE_LOG_LIMIT_H

#include <seaclock/core.h>

#define LOG_LIMIT_LINES 20u
#define LOG_LIMIT_WINDOW_NS 10000000000u

struct log_limit {
	sc_ns_t began;	/* the window */
	uint64_t lines; /* in it, written or not */
};

enum log_verdict {
	LOG_WRITE,
	LOG_WRITE_LAST, /* and say that no more are written for now */
	LOG_DROP,
};

/* One more line at `now`, monotonic, in ns; log_limit_take() comes first. */
enum log_verdict log_limit_step(struct log_limit *limit, sc_ns_t now);

/* How many lines the window left out, once it is over; 0 while it is not. A line is told of once. */
uint64_t log_limit_take(struct log_limit *limit, sc_ns_t now);

/* The same, whether it is over or not. */
uint64_t log_limit_end(struct log_limit *limit);

#endif
