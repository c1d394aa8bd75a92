/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The end of a program that has made a system call which is not in its list.
 *
 * Policy: one sentence on standard error, past the queue of the log, which may be another thread's to empty; the
 * terminal as it was; and exit status 1. Nothing else is done: nobody knows what the program has become.
 */
#ifndef VMM_HOST_VIOLATION_H
#define VMM_HOST_VIOLATION_H

#include "base/thread.h"

#include <stddef.h>

/* Room for a sentence. */
#define VIOLATION_TEXT_MAX 256

/* From here on, what a filter traps (SIGSYS) ends the program. Notes the names of calls, and the terminal as it is. */
void violation_open(void);

/* The sentence; its length. `request` is that of an ioctl(). Async-signal-safe, as the others. */
size_t violation_describe(enum thread_kind kind, int call, unsigned long request, char text[VIOLATION_TEXT_MAX]);

/* A thread of this kind cannot be held to its list, for that reason, a positive errno. */
_Noreturn void violation_end_unheld(enum thread_kind kind, int err);

#endif
