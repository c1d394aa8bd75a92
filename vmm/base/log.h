/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Lines for the operator, on standard error.
 *
 * Policy: one line an event, with the numbers. Logging never waits for whoever reads it, so it is allowed anywhere, and
 * no kind of line can fill the log: lines of the same format are one kind, bounded by log_limit.h.
 */
#ifndef VMM_BASE_LOG_H
#define VMM_BASE_LOG_H

#include "base/error.h"

#include <stdint.h>

#include <seaclock/core.h>

/*
 * From here until log_close() lines go through a queue, and are bounded by the time that `now` tells: monotonic, from
 * any thread. Before and after, all of them go straight to standard error.
 */
int log_open(sc_ns_t (*now)(void), struct error *error);
void log_close(void);

void log_line(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* A line of a longer text that comes once, whose length is bounded by the caller. */
void log_quote(const char *text);

/*
 * For what a guest can provoke: only the first LOG_GUEST_LINES of a counter are written, the last says so. A guest may
 * go on for months, and some lines a second, which log_limit.h would let pass, are too many then.
 */
#define LOG_GUEST_LINES 20u
void log_guest(uint32_t *count, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
