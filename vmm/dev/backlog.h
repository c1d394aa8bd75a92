/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a console of the guest has said lately, and the one client who reads along.
 *
 * Policy: pure but for its lock. The guest never waits: the oldest bytes make room for new ones, and a reader who was
 * too slow is told how many he missed. The last BACKLOG_SIZE bytes stay when they have been read, for whoever attaches
 * next. Input is no part of it: that goes to the device, which knows what it has room for.
 */
#ifndef VMM_DEV_BACKLOG_H
#define VMM_DEV_BACKLOG_H

#include "base/lock.h"
#include "base/ring.h"

#include <stdbool.h>

#define BACKLOG_SIZE (64u << 10)

struct backlog {
	struct lock lock;
	struct ring ring;
	uint64_t said; /* bytes, from the beginning; the ring has the last of them */
	uint64_t read; /* how many of them the client has, or has missed */
	bool attached;
	void (*wake)(void *context);
	void *context;
	uint8_t bytes[BACKLOG_SIZE];
};

void backlog_init(struct backlog *backlog);
void backlog_destroy(struct backlog *backlog);

/* The guest says something. */
void backlog_put(struct backlog *backlog, const void *data, size_t size);

/*
 * A client reads from here on, from the oldest byte that is still there; -EBUSY if there is one. `wake` is called
 * whenever something can be read that could not before; with the lock, and from any thread, so it must not wait nor
 * call anything here.
 */
int backlog_attach(struct backlog *backlog, void (*wake)(void *context), void *context);
void backlog_detach(struct backlog *backlog);

/* Up to `size` bytes for the client, none if there is nothing new: how many. *missed bytes before them were lost. */
size_t backlog_read(struct backlog *backlog, void *data, size_t size, uint64_t *missed);

#endif
