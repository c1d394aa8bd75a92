/* SPDX-License-Identifier: BSD-2-Clause */
/* A disk in memory: see the header. */
#include "disk.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

static struct fake_disk *fake_of(struct disk *disk)
{
	return (struct fake_disk *)disk;
}

static _Noreturn void violation(const char *what)
{
	fprintf(stderr, "fake disk: %s\n", what);
	abort();
}

/* ---- Requests ---- */

static void check(const struct fake_disk *disk, const struct disk_request *request)
{
	uint64_t size = 0;

	if (!disk->locked)
		violation("a request comes to a disk that is not ours");
	for (const struct disk_request *other = disk->pending; other; other = other->next)
		if (other == request)
			violation("a request is submitted twice");
	if (request->operation == DISK_FLUSH)
		return;
	if (!request->length || request->offset % DISK_SECTOR_SIZE || request->length % DISK_SECTOR_SIZE ||
	    request->offset > disk->disk.size || request->length > disk->disk.size - request->offset)
		violation("a request is outside the disk");
	if (disk->disk.readonly && request->operation != DISK_READ)
		violation("a disk that is read-only is to be changed");
	if (request->operation != DISK_READ && request->operation != DISK_WRITE)
		return;
	for (uint32_t n = 0; n < request->buffers; n++)
		size += request->buffer[n].iov_len;
	if (size != request->length)
		violation("the buffers are not as large as the request");
}

/* Transfers some bytes between the content and the request's first buffer, which it consumes. */
static uint64_t transfer(struct fake_disk *disk, struct disk_request *request, uint64_t at, uint64_t left)
{
	struct iovec *buffer = request->buffer;
	uint64_t size = random_between(&disk->random, 1, buffer->iov_len);

	size = size < left ? size : left;
	if (request->operation == DISK_READ)
		memcpy(buffer->iov_base, disk->content + at, size);
	else
		memcpy(disk->content + at, buffer->iov_base, size);
	buffer->iov_base = (uint8_t *)buffer->iov_base + size;
	buffer->iov_len -= size;
	if (!buffer->iov_len) {
		request->buffer++;
		request->buffers--;
	}
	return size;
}

static void do_part(struct fake_disk *disk, struct disk_request *request, uint64_t length)
{
	uint64_t done = 0;

	switch (request->operation) {
	case DISK_READ:
	case DISK_WRITE:
		while (done < length)
			done += transfer(disk, request, request->offset + done, length - done);
		break;
	case DISK_FLUSH:
		memcpy(disk->medium, disk->content, disk->disk.size);
		break;
	default:
		memset(disk->content + request->offset, 0, length);
	}
}

/* With the lock: does it, or a part of it, and says what came of it. */
static void complete(struct fake_disk *disk, struct disk_request *request)
{
	bool fails = disk->error && random_chance(&disk->random, disk->error);

	request->result = fails ? -disk->error_kind : 0;
	if (!fails)
		do_part(disk, request, request->length);
	else if (request->operation != DISK_FLUSH)
		do_part(disk, request, random_between(&disk->random, 0, request->length));
}

static void fake_submit(struct disk *disk, struct disk_request *request)
{
	struct fake_disk *fake = fake_of(disk);

	pthread_mutex_lock(&fake->lock);
	check(fake, request);
	fake->submitted[request->operation]++;
	request->next = fake->pending;
	fake->pending = request;
	pthread_mutex_unlock(&fake->lock);
}

/* With the lock: those whose turn it is, off the list. */
static struct disk_request *take_due(struct fake_disk *disk)
{
	struct disk_request *due = NULL, **place = &disk->pending;

	while (*place && !disk->away && !disk->silent) {
		struct disk_request *request = *place;

		if (!disk->late || random_chance(&disk->random, disk->late)) {
			*place = request->next;
			complete(disk, request);
			request->next = due;
			due = request;
		} else {
			place = &request->next;
		}
	}
	return due;
}

/* With the lock. */
static void be_stuck(struct fake_disk *disk)
{
	while (disk->stuck)
		pthread_cond_wait(&disk->unstuck, &disk->lock);
}

static void fake_dispatch(struct disk *disk, short events)
{
	struct fake_disk *fake = fake_of(disk);
	struct disk_request *due, *next;
	eventfd_t ignored;

	if (events)
		eventfd_read(fake->wake, &ignored);
	pthread_mutex_lock(&fake->lock);
	be_stuck(fake);
	due = take_due(fake);
	pthread_mutex_unlock(&fake->lock);
	for (; due; due = next) {
		next = due->next;
		disk->done(disk->context, due);
	}
}

static int fake_poll(struct disk *disk, struct pollfd *wanted)
{
	struct fake_disk *fake = fake_of(disk);
	int timeout_ms;

	*wanted = (struct pollfd){ .fd = fake->wake, .events = POLLIN };
	pthread_mutex_lock(&fake->lock);
	timeout_ms = fake->pending && !fake->away ? fake->silent : -1;
	pthread_mutex_unlock(&fake->lock);
	return timeout_ms;
}

static bool fake_is_away(const struct disk *disk)
{
	struct fake_disk *fake = fake_of((struct disk *)disk);
	bool away;

	pthread_mutex_lock(&fake->lock);
	away = fake->away;
	pthread_mutex_unlock(&fake->lock);
	return away;
}

static struct disk_request *fake_withdraw(struct disk *disk)
{
	struct fake_disk *fake = fake_of(disk);
	struct disk_request *request = NULL;

	pthread_mutex_lock(&fake->lock);
	if (fake->pending) {
		request = fake->pending;
		fake->pending = request->next;
		fake->withdrawn++;
	}
	pthread_mutex_unlock(&fake->lock);
	return request;
}

/* ---- Ownership ---- */

static int fake_lock_disk(struct disk *disk, int limit_ms, struct error *error)
{
	struct fake_disk *fake = fake_of(disk);

	(void)limit_ms;
	if (fake->is_elsewhere)
		return error_set(error, EBUSY, "%s is somebody else's", disk->where);
	fake->locked = true;
	return 0;
}

static int fake_unlock_disk(struct disk *disk, int limit_ms, struct error *error)
{
	(void)limit_ms;
	(void)error;
	fake_of(disk)->locked = false;
	return 0;
}

static int fake_check_locked(struct disk *disk, int limit_ms, struct error *error)
{
	(void)limit_ms;
	return fake_of(disk)->is_elsewhere ? 0 : error_set(error, ENOLCK, "%s is nobody's", disk->where);
}

static int fake_resize(struct disk *disk, struct error *error)
{
	struct fake_disk *fake = fake_of(disk);

	pthread_mutex_lock(&fake->lock);
	be_stuck(fake);
	pthread_mutex_unlock(&fake->lock);
	if (fake->grown < disk->size)
		return error_set(error, EINVAL, "%s has shrunk", disk->where);
	disk->size = fake->grown;
	return 0;
}

static const struct disk_ops fake_disk_ops = {
	.submit = fake_submit,
	.poll = fake_poll,
	.dispatch = fake_dispatch,
	.is_away = fake_is_away,
	.withdraw = fake_withdraw,
	.lock = fake_lock_disk,
	.unlock = fake_unlock_disk,
	.check_locked = fake_check_locked,
	.resize = fake_resize,
};

/* ---- For the test ---- */

void fake_disk_init(struct fake_disk *disk, uint64_t size, uint64_t size_max, struct random random)
{
	*disk = (struct fake_disk){
		.disk = { .ops = &fake_disk_ops,
			  .where = "fake",
			  .thread = THREAD_DISK,
			  .size = size,
			  .can_discard = true,
			  .can_write_zeroes = true },
		.content = calloc(1, size_max),
		.medium = calloc(1, size_max),
		.grown = size,
		.wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK),
		.random = random,
		.error_kind = EIO,
		.locked = true,
	};
	if (!disk->content || !disk->medium || disk->wake < 0)
		violation("no memory for a disk");
	pthread_mutex_init(&disk->lock, NULL);
	pthread_cond_init(&disk->unstuck, NULL);
}

void fake_disk_destroy(struct fake_disk *disk)
{
	pthread_cond_destroy(&disk->unstuck);
	pthread_mutex_destroy(&disk->lock);
	close(disk->wake);
	free(disk->content);
	free(disk->medium);
}

void fake_disk_set_away(struct fake_disk *disk, bool away)
{
	pthread_mutex_lock(&disk->lock);
	disk->away = away;
	pthread_mutex_unlock(&disk->lock);
	eventfd_write(disk->wake, 1);
}

void fake_disk_set_silent(struct fake_disk *disk, bool silent)
{
	pthread_mutex_lock(&disk->lock);
	disk->silent = silent;
	pthread_mutex_unlock(&disk->lock);
	eventfd_write(disk->wake, 1);
}

void fake_disk_set_stuck(struct fake_disk *disk, bool stuck)
{
	pthread_mutex_lock(&disk->lock);
	disk->stuck = stuck;
	pthread_cond_broadcast(&disk->unstuck);
	pthread_mutex_unlock(&disk->lock);
	eventfd_write(disk->wake, 1);
}

void fake_disk_set_errors(struct fake_disk *disk, uint32_t one_in, int err)
{
	pthread_mutex_lock(&disk->lock);
	disk->error = one_in;
	disk->error_kind = err;
	pthread_mutex_unlock(&disk->lock);
}

void fake_disk_set_late(struct fake_disk *disk, uint32_t one_in)
{
	pthread_mutex_lock(&disk->lock);
	disk->late = one_in;
	pthread_mutex_unlock(&disk->lock);
}

uint32_t fake_disk_pending(struct fake_disk *disk)
{
	uint32_t count = 0;

	pthread_mutex_lock(&disk->lock);
	for (const struct disk_request *request = disk->pending; request; request = request->next)
		count++;
	pthread_mutex_unlock(&disk->lock);
	return count;
}

uint32_t fake_disk_submitted(struct fake_disk *disk, enum disk_operation operation)
{
	uint32_t count;

	pthread_mutex_lock(&disk->lock);
	count = disk->submitted[operation];
	pthread_mutex_unlock(&disk->lock);
	return count;
}
