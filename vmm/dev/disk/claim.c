/* SPDX-License-Identifier: BSD-2-Clause */
/* The claim to a file: see the header. */
#include "dev/disk/claim.h"

#include "base/lock.h"
#include "base/thread.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

struct claim {
	int fd;
	short type;
	claim_call_fn call;
	struct lock lock; /* what follows */
	pthread_cond_t changed;
	bool works;  /* the thread is there */
	bool closed; /* the thread is the last that knows of it */
	bool wanted; /* the lock */
	bool held;
	int take_err; /* of the last call to take it, a positive errno, */
	int drop_err; /* and to give it back */
	bool looks;   /* somebody wants to know whether another has it */
	bool locked;
	int look_err;
};

int claim_call(int fd, int command, struct flock *lock)
{
	return fcntl(fd, command, lock) ? errno : 0;
}

int claim_create(struct claim **claim, int fd, short type, claim_call_fn call)
{
	struct claim *made = calloc(1, sizeof(*made));

	if (!made)
		return -ENOMEM;
	/* Its own, for the thread may still use it when the file is closed. */
	made->fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	if (made->fd < 0) {
		int err = errno;

		free(made);
		return -err;
	}
	made->type = type;
	made->call = call;
	lock_init(&made->lock, LOCK_CLAIM);
	pthread_cond_init(&made->changed, NULL);
	*claim = made;
	return 0;
}

static void claim_free(struct claim *claim)
{
	close(claim->fd);
	pthread_cond_destroy(&claim->changed);
	lock_destroy(&claim->lock);
	free(claim);
}

void claim_close(struct claim *claim)
{
	bool works;

	lock_take(&claim->lock);
	claim->closed = true;
	works = claim->works;
	lock_drop(&claim->lock);
	if (!works)
		claim_free(claim);
}

/* ---- The thread ---- */

/* With the lock, which is dropped meanwhile. */
static int claim_ask(struct claim *claim, int command, struct flock *lock)
{
	int err;

	lock->l_whence = SEEK_SET;
	lock_drop(&claim->lock);
	err = claim->call(claim->fd, command, lock);
	lock_take(&claim->lock);
	return err;
}

/* With the lock. What could not be taken is not tried again. */
static void claim_change(struct claim *claim)
{
	bool takes = claim->wanted;
	struct flock lock = { .l_type = takes ? claim->type : F_UNLCK };
	int err = claim_ask(claim, F_OFD_SETLK, &lock);

	claim->held = takes && !err;
	*(takes ? &claim->take_err : &claim->drop_err) = err;
	if (takes && err)
		claim->wanted = false;
}

/* With the lock. */
static void claim_examine(struct claim *claim)
{
	struct flock lock = { .l_type = F_RDLCK };

	claim->looks = false;
	claim->look_err = claim_ask(claim, F_OFD_GETLK, &lock);
	claim->locked = lock.l_type != F_UNLCK;
}

static void *claim_thread(void *context)
{
	struct claim *claim = context;
	bool closed;

	lock_take(&claim->lock);
	while (!claim->closed && (claim->wanted != claim->held || claim->looks)) {
		if (claim->wanted != claim->held)
			claim_change(claim);
		else
			claim_examine(claim);
	}
	closed = claim->closed;
	claim->works = false;
	pthread_cond_broadcast(&claim->changed);
	lock_drop(&claim->lock);
	if (closed)
		claim_free(claim);
	return NULL;
}

/* ---- Those who wait for it ---- */

/* With the lock: has the thread do what is to be done. -ETIMEDOUT: it is not done in time; -ENOMEM: there is none. */
static int claim_work(struct claim *claim, int limit_ms)
{
	pthread_t thread;

	if (!claim->works && (claim->wanted != claim->held || claim->looks)) {
		/* Its own error, -EAGAIN, would be that somebody else has the lock. */
		if (thread_start(&thread, THREAD_CLAIM, claim_thread, claim))
			return -ENOMEM;
		pthread_detach(thread);
		claim->works = true;
	}
	while (claim->works)
		if (!lock_wait_ms(&claim->lock, &claim->changed, limit_ms))
			return claim->works ? -ETIMEDOUT : 0;
	return 0;
}

int claim_take(struct claim *claim, int limit_ms)
{
	int result;

	lock_take(&claim->lock);
	claim->wanted = true;
	result = claim_work(claim, limit_ms);
	if (!result && !claim->held)
		result = -claim->take_err;
	if (result)
		claim->wanted = false;
	lock_drop(&claim->lock);
	return result;
}

int claim_drop(struct claim *claim, int limit_ms)
{
	int result;

	lock_take(&claim->lock);
	claim->wanted = false;
	claim->drop_err = 0;
	result = claim_work(claim, limit_ms);
	if (!result)
		result = -claim->drop_err;
	lock_drop(&claim->lock);
	return result;
}

int claim_look(struct claim *claim, bool *locked, int limit_ms)
{
	int result;

	lock_take(&claim->lock);
	claim->looks = true;
	result = claim_work(claim, limit_ms);
	if (!result)
		result = -claim->look_err;
	*locked = claim->locked;
	claim->looks = false;
	lock_drop(&claim->lock);
	return result;
}
