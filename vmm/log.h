/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Lines for the operator, on standard error.
 *
 * Policy: one line an event, with the numbers; nothing in a loop that a guest can drive without limit.
 */
#ifndef VMM_LOG_H
#define VMM_LOG_H

#include <stdint.h>

void log_line(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* For what a guest can provoke: only the first LOG_GUEST_LINES of a counter are written, the last says so. */
#define LOG_GUEST_LINES 20u
void log_guest(uint32_t *count, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
