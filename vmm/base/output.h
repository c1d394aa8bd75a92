/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Output that never holds up whoever writes it: a bounded queue and a thread that empties it into a descriptor.
 *
 * Policy: a pipe that nobody reads, a stopped terminal and a full disk cost the oldest output and nothing else. Where
 * bytes are missing the output says how many. At the end the reader has OUTPUT_END_MS to take the rest; then the write
 * that waits for it is broken off. One that cannot be, since the server of its file is away, is left to its thread.
 */
#ifndef VMM_BASE_OUTPUT_H
#define VMM_BASE_OUTPUT_H

#include "base/lock.h"
#include "base/error.h"
#include "base/ring.h"

#include <pthread.h>
#include <stdbool.h>

#define OUTPUT_END_MS 2000
/* How long a write that is broken off has to end. */
#define OUTPUT_ABANDON_MS 2000

/* What stands where bytes are missing: its length. */
#define OUTPUT_MARK_SIZE 80u
size_t output_mark(uint64_t dropped, char mark[OUTPUT_MARK_SIZE]);

struct output {
	int fd;
	int finished; /* eventfd: readable once the writer has written everything */
	pthread_t writer;
	bool abandoned;	  /* atomic: the writer is to wait for nobody any more */
	struct lock lock; /* what follows; nobody waits for anything while holding it */
	pthread_cond_t changed;
	struct ring ring;
	bool closing;
	bool ended; /* the writer has */
	bool left;  /* to the writer */
};

/* Output to `fd`, which stays the caller's; at most `capacity` bytes wait. On an error there is nothing to close. */
int output_open(struct output **output, int fd, size_t capacity, struct error *error);
void output_put(struct output *output, const void *data, size_t size);
/* Ends it. False if the last bytes were not taken in time, or could not be written. */
bool output_close(struct output *output);

#endif
