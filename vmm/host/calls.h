/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which system calls each kind of thread makes.
 *
 * Policy: pure tables of names, which stand for other numbers on each architecture; a name that an architecture does
 * not have is no call there. A list has what its kind of thread does on purpose, what the C library does for it, and
 * nothing for convenience. ioctl() is told apart by its request, since each is a call of its own.
 */
#ifndef VMM_HOST_CALLS_H
#define VMM_HOST_CALLS_H

#include "base/thread.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct call {
	const char *name;
	uint8_t argument; /* the one that counts, from 0, */
	uint64_t mask;	  /* in these bits (0: none counts), */
	uint64_t value;	  /* which must be so */
};

/* Calls of a kind, group by group; NULL after the last group. The end of a group has no name. */
const struct call *calls_group(enum thread_kind kind, size_t n);

/* Calls that fail with an error instead of ending the machine, because whoever makes them knows what else to do. */
struct call_refused {
	struct call call;
	int err; /* a positive errno */
};

/* NULL after the last. */
const struct call_refused *calls_refused(size_t n);

#endif
