/* SPDX-License-Identifier: BSD-2-Clause */
/* Locks that know their place: see the header. */
#include "base/lock.h"

#ifdef LOCK_CHECK

#include <stdio.h>
#include <stdlib.h>

/* A bit for each rank that this thread holds. */
static _Thread_local unsigned int held;

static void check_take(enum lock_rank rank)
{
	if (held >> rank) {
		fprintf(stderr, "a lock of rank %d is taken while those of ranks 0x%x are held\n", (int)rank, held);
		abort();
	}
	held |= 1u << rank;
}

static void check_drop(enum lock_rank rank)
{
	held &= ~(1u << rank);
}

#else

static void check_take(enum lock_rank rank)
{
	(void)rank;
}

static void check_drop(enum lock_rank rank)
{
	(void)rank;
}

#endif

void lock_init(struct lock *lock, enum lock_rank rank)
{
	pthread_mutex_init(&lock->mutex, NULL);
	lock->rank = rank;
}

void lock_destroy(struct lock *lock)
{
	pthread_mutex_destroy(&lock->mutex);
}

void lock_take(struct lock *lock)
{
	check_take(lock->rank);
	pthread_mutex_lock(&lock->mutex);
}

void lock_drop(struct lock *lock)
{
	check_drop(lock->rank);
	pthread_mutex_unlock(&lock->mutex);
}

void lock_wait(struct lock *lock, pthread_cond_t *changed)
{
	pthread_cond_wait(changed, &lock->mutex);
}
