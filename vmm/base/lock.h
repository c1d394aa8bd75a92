/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Locks that know their place.
 *
 * Policy: all locks that may be held together have a rank, and a thread takes them in the order of enum lock_rank and
 * in no other, never two of one rank. That is the whole order, and builds with LOCK_CHECK, which all tests are, hold
 * every thread to it. Nobody waits for anything while holding a lock but where a comment at the wait says why he may.
 */
#ifndef VMM_BASE_LOCK_H
#define VMM_BASE_LOCK_H

#include <pthread.h>
#include <stdbool.h>

enum lock_rank {
	LOCK_MIGRATION = 1, /* an operator's migration: who is told what */
	LOCK_MACHINE,	    /* a machine's state */
	LOCK_TYPING,	    /* a console's input, from the terminal to the UART */
	LOCK_VCPUS,	    /* which vCPUs run */
	LOCK_CLOCK,	    /* guest time */
	LOCK_DEVICE,	    /* one device */
	LOCK_WINDOW,	    /* who has hidden the registers of the virtio devices */
	LOCK_CLAIM,	    /* whose a file is */
	LOCK_LOG,	    /* kinds of lines */
	LOCK_OUTPUT,	    /* the queue of an output */
	LOCK_THREADS,	    /* who has a thread made */
};

struct lock {
	pthread_mutex_t mutex;
	enum lock_rank rank;
};

#define LOCK_INITIALIZER(rank)                                                                                         \
	{                                                                                                              \
		PTHREAD_MUTEX_INITIALIZER, rank                                                                        \
	}

void lock_init(struct lock *lock, enum lock_rank rank);
void lock_destroy(struct lock *lock);
void lock_take(struct lock *lock);
void lock_drop(struct lock *lock);
/* With the lock, which is dropped while the thread waits. */
void lock_wait(struct lock *lock, pthread_cond_t *changed);
/* The same, but no longer than that: false once it is over, whatever has changed. */
bool lock_wait_ms(struct lock *lock, pthread_cond_t *changed, int ms);

#endif
