/* SPDX-License-Identifier: BSD-2-Clause */
/* Locks that know their place: see the header. */
#include "base/lock.h"

#include <time.h>

#define MS_PER_S 1000
#define NS_PER_MS 1000000
#define NS_PER_S 1000000000

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

bool lock_wait_ms(struct lock *lock, pthread_cond_t *changed, int ms)
{
	struct timespec end;

	/* What the wait is measured by, not a time that anything is computed from: for that there is host/host.h. */
	clock_gettime(CLOCK_MONOTONIC, &end);
	end.tv_sec += ms / MS_PER_S;
	end.tv_nsec += (long)(ms % MS_PER_S) * NS_PER_MS;
	if (end.tv_nsec >= NS_PER_S) {
		end.tv_sec++;
		end.tv_nsec -= NS_PER_S;
	}
	return !pthread_cond_clockwait(changed, &lock->mutex, CLOCK_MONOTONIC, &end);
}
