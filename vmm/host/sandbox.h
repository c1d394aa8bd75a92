/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the threads of a monitor may ask of the kernel.
 *
 * Policy: each thread makes the calls of its kind (calls.h) and no others: one that is not in the list ends the
 * program, with a sentence that names the call, because whoever makes it is not the monitor any more. What a thread
 * opens is in the places that it was given (landlock.h); elsewhere it finds that it may not. Nothing of this can be
 * taken back. A filter cannot see what is behind a pointer, and threads share their memory: a guest that has taken over
 * one thread so far that it can write anywhere can have the others do what these may. So what a monitor may do as a
 * whole is the sum of all lists, and that has no new program, no tracing, and no memory that is written and executed.
 * Source: seccomp(2), seccomp_rule_add(3).
 */
#ifndef VMM_HOST_SANDBOX_H
#define VMM_HOST_SANDBOX_H

#include "base/error.h"
#include "base/thread.h"

#include <stdbool.h>

enum sandbox_mode {
	SANDBOX_ON,	/* what this kernel can */
	SANDBOX_STRICT, /* all of it, or an error */
	SANDBOX_OFF,
};

/* What this process is held to. */
struct sandbox_facts {
	bool calls;
	bool files;
	bool ports; /* TCP */
};

/* NULL: SANDBOX_ON. False if it is none of the words on, strict and off. */
bool sandbox_mode_parse(const char *text, enum sandbox_mode *mode);

/*
 * Makes the lists ready; nobody is held to them yet. After process_harden(), while there is one thread. -EOPNOTSUPP and
 * a sentence if this kernel has no filters, or less than SANDBOX_STRICT asks for. With SANDBOX_OFF it does nothing, and
 * so do all others.
 */
int sandbox_open(enum sandbox_mode mode, struct error *error);

struct sandbox_facts sandbox_facts(void);

/* Holds the calling thread to what its kind may do: the guard of threads_open(). Ends the program if that fails. */
void sandbox_enter(enum thread_kind kind);

/* ---- Places ---- */

/* What threads that are started from here on may reach, by what their kind is for. */
enum sandbox_reach {
	SANDBOX_REACH_NOTHING,	/* the machine's files, and no TCP port */
	SANDBOX_REACH_SERVERS,	/* besides, those of the machine's disks, and of names */
	SANDBOX_REACH_ANYWHERE, /* besides, any TCP port, as operators name them: a migration */
	SANDBOX_REACHES
};

/*
 * Takes over a set of landlock_make(), or -1 for none: whoever is started next has that one instead of the one before.
 * Threads that are there already keep theirs.
 */
void sandbox_set_reach(enum sandbox_reach reach, int rules);

#endif
