/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A disk in memory, for tests of what is in front of it: late, in any order, with errors, and with a server that can be
 * away.
 *
 * Policy: it does what dev/disk/disk.h allows and an honest disk seldom does: it consumes the buffers of a request,
 * transfers a part and fails, and completes requests in random order. What breaks the contract (a request outside the
 * disk, one that is submitted twice, any while the disk is nobody's) ends the program with a sentence. The test may
 * change its behaviour at any time; content is looked at while nothing is under way.
 */
#ifndef FAKE_DISK_H
#define FAKE_DISK_H

#include "../property/random.h"

#include "dev/disk/disk.h"

#include <pthread.h>

struct fake_disk {
	struct disk disk; /* first, so that it is the disk */
	uint8_t *content;
	uint8_t *medium; /* the content as of the last flush */
	uint64_t grown;	 /* what resize() will find; bytes */
	int wake;	 /* eventfd */

	pthread_mutex_t lock; /* what follows */
	struct random random;
	uint32_t late;	/* a dispatch completes one request in so many; 0: all */
	uint32_t error; /* one request in so many fails; 0: none */
	int error_kind; /* with this, a positive errno */
	bool away;	/* the server is: nothing is completed */
	bool silent;	/* it is there, and completes nothing either */
	bool stuck;	/* no call of it comes back */
	pthread_cond_t unstuck;
	bool locked;	   /* ours */
	bool is_elsewhere; /* somebody else has it */
	uint32_t submitted[DISK_WRITE_ZEROES + 1];
	uint32_t withdrawn;
	struct disk_request *pending;
};

/* `size` bytes of zeroes, at most `size_max` after it has grown; it can do everything, at once, and is locked. */
void fake_disk_init(struct fake_disk *disk, uint64_t size, uint64_t size_max, struct random random);
void fake_disk_destroy(struct fake_disk *disk);

/* A server goes away, or comes back. */
void fake_disk_set_away(struct fake_disk *disk, bool away);
/* A server that is there stops answering, or goes on. */
void fake_disk_set_silent(struct fake_disk *disk, bool silent);
/* Who calls it does not come back, as from a system call that nobody can end; or does. */
void fake_disk_set_stuck(struct fake_disk *disk, bool stuck);
void fake_disk_set_errors(struct fake_disk *disk, uint32_t one_in, int err);
void fake_disk_set_late(struct fake_disk *disk, uint32_t one_in);
/* Requests that it has now. */
uint32_t fake_disk_pending(struct fake_disk *disk);
uint32_t fake_disk_submitted(struct fake_disk *disk, enum disk_operation operation);

#endif
