/* SPDX-License-Identifier: BSD-2-Clause */
/* The thread of a block device: see the header. */
#include "dev/virtio/block_worker.h"

#include "base/events.h"
#include "base/log.h"
#include "base/thread.h"
#include "host/host.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>

#define NS_PER_MS 1000000u

/* What the thread saw when it last had the lock. */
struct block_view {
	struct disk_request *taken; /* to submit */
	bool more;		    /* there may be more to take */
	bool attend;		    /* the disk may have something to do */
	bool leave;		    /* what a server that is away has is to be left */
	bool flush;		    /* the medium is to have what was written */
	uint64_t patience_ns;	    /* how much longer it may take; 0: as long as it does */
	bool resize;
	bool end;
};

static struct virtqueue *block_queue(struct block *block)
{
	return &block->virtio.queue[0];
}

/* ---- What came of a request ---- */

/* What the disk cannot do, as a clause. */
static void request_describe(const struct disk_request *request, char *text, size_t size)
{
	static const char *const verbs[] = {
		[DISK_READ] = "read",
		[DISK_WRITE] = "write",
		[DISK_DISCARD] = "discard",
		[DISK_WRITE_ZEROES] = "clear",
	};

	if (request->operation == DISK_FLUSH)
		snprintf(text, size, "flush what was written");
	else
		snprintf(text, size, "%s %" PRIu64 " bytes at %" PRIu64, verbs[request->operation], request->length,
			 request->offset);
}

/* A run of errors of a kind is one line, and ends by time: a disk without space fails at each second request. */
static bool block_fails_anew(struct block *block, enum disk_operation operation)
{
	uint64_t now = host_monotonic().v, before = block->failed_at[operation];

	block->failed_at[operation] = now;
	return !before || now - before >= BLOCK_RUN_NS;
}

static void block_log(struct block *block, const struct disk_request *request)
{
	const char *machine = block->virtio.machine, *where = block->disk->where;
	uint32_t number = block->virtio.device.instance;
	char what[80];

	if (block_request_status(request->result) != VIRTIO_BLK_S_IOERR)
		return;
	request_describe(request, what, sizeof(what));
	if (request == &block->flush)
		log_line("%s: disk %" PRIu32 " (%s) cannot %s (%s): some of it may be lost", machine, number, where,
			 what, strerror(-request->result));
	else if (block_fails_anew(block, request->operation))
		log_guest(&block->errors_logged,
			  "%s: disk %" PRIu32 " (%s) cannot %s (%s): the guest is told of this and later errors, and "
			  "goes on",
			  machine, number, where, what, strerror(-request->result));
}

static void block_add_done(struct block *block, struct disk_request *request)
{
	request->next = NULL;
	*block->done_end = request;
	block->done_end = &request->next;
}

static bool is_change(const struct disk_request *request)
{
	return request->operation == DISK_WRITE || request->operation == DISK_DISCARD ||
	       request->operation == DISK_WRITE_ZEROES;
}

/* What was written for a driver that does not flush goes on to the medium. */
void block_worker_done(void *context, struct disk_request *request)
{
	struct block *block = context;

	block_log(block, request);
	block->dirty |= is_change(request);
	if (request == &block->flush) {
		block->flushing = false;
		block->dirty |= request->result;
		if (request->result)
			block->lost = request->result;
	} else if (!request->result && is_change(request) && ((struct block_request *)request)->write_through) {
		request->operation = DISK_FLUSH;
		block->disk->ops->submit(block->disk, request);
	} else {
		block_add_done(block, request);
	}
}

/* With the lock: memory was written, whatever came of the request. */
static void block_mark(struct block *block, const struct block_request *request)
{
	for (uint32_t n = 0; n < request->places; n++)
		memory_mark_dirty_at(block->virtio.memory, request->place[n].iov_base, request->place[n].iov_len);
}

/* With the lock. */
static void block_answer(struct block *block, const struct block_request *request, uint8_t status)
{
	uint32_t written = block_request_answer(request, status);

	block_mark(block, request);
	virtqueue_give(block_queue(block), block->virtio.memory, request->head, written);
}

/* The error of a flush that the driver did not ask for comes with the next one that it did ask for, or with a write. */
static uint8_t block_status(struct block *block, const struct disk_request *done)
{
	bool tells = done->operation == DISK_FLUSH && block->lost;

	if (tells)
		block->lost = 0;
	return tells ? VIRTIO_BLK_S_IOERR : block_request_status(done->result);
}

/* With the lock: gives back what is done; whether that was anything. */
static bool block_give(struct block *block)
{
	struct disk_request *next, *done = block->done;
	bool given = false;

	block->done = NULL;
	block->done_end = &block->done;
	for (; done; done = next) {
		struct block_request *request = (struct block_request *)done;

		next = done->next;
		request->under_way = false;
		if (request->left || block->resets) {
			block_mark(block, request);
			/* start() may have come first. */
			block->retaken = 0;
		} else {
			block_answer(block, request, block_status(block, done));
			given = true;
		}
		done->next = block->spare;
		block->spare = done;
		block->under_way--;
	}
	return given;
}

/* ---- What is new ---- */

struct block_taking {
	struct disk_request **end; /* of the list of those for the disk */
	uint32_t count;		   /* chains; bounded, for others wait for the lock */
	bool answered;		   /* one of them, at once */
};

static bool block_has_under_way(const struct block *block, uint16_t head)
{
	for (uint32_t n = 0; n < block->fresh; n++)
		if (block->request[n].under_way && block->request[n].head == head)
			return true;
	return false;
}

/* With the lock: first the chains that were left, then new ones. As virtqueue_take(). */
static int block_next(struct block *block)
{
	struct virtqueue *queue = block_queue(block);

	while (block->retaken < VIRTQUEUE_SIZE_MAX) {
		uint16_t head = (uint16_t)block->retaken++;

		if (virtqueue_has_taken(queue, head) && !block_has_under_way(block, head))
			return virtqueue_take_again(queue, block->virtio.memory, head, block->chain);
	}
	return virtqueue_take(queue, block->virtio.memory, block->chain);
}

/* With the lock: one that is not under way, which there is. What was never used is touched last. */
static struct block_request *block_pick(struct block *block)
{
	if (!block->spare) {
		block->spare = &block->request[block->fresh++].disk;
		block->spare->next = NULL;
	}
	return (struct block_request *)block->spare;
}

/* With the lock: the chain that was taken is answered, or goes to the end of the list. */
static void block_begin(struct block *block, struct block_taking *taking)
{
	struct block_request *request = block_pick(block);
	struct disk_request *spare = request->disk.next;
	uint8_t status;

	switch (block_request_parse(request, block->chain, &block->facts, &status)) {
	case BLOCK_SUBMIT:
		request->under_way = true;
		block->under_way++;
		*taking->end = &request->disk;
		taking->end = &request->disk.next;
		block->spare = spare;
		return;
	case BLOCK_ANSWER:
		block_answer(block, request, status);
		taking->answered = true;
		break;
	default:
		virtio_fail(&block->virtio, "a request has no room for its status");
	}
	request->disk.next = spare;
}

/* With the lock: takes what there is and there is room for; false if there is nothing more. */
static bool block_take(struct block *block, struct block_taking *taking)
{
	while (virtio_is_live(&block->virtio) && taking->count < BLOCK_REQUESTS_MAX &&
	       block->under_way < BLOCK_REQUESTS_MAX) {
		int result = block_next(block);

		if (result < 0)
			virtio_fail(&block->virtio, block_queue(block)->broken);
		if (result <= 0)
			return false;
		taking->count++;
		block_begin(block, taking);
	}
	return virtio_is_live(&block->virtio);
}

/*
 * With the lock: the same, and at the end the driver is asked to notify. Not if there may be more: then the thread
 * looks again, at the latest when a request comes back.
 */
static void block_look(struct block *block, struct block_taking *taking)
{
	struct virtqueue *queue = block_queue(block);

	if (block->order != BLOCK_RUN || block->resets || !virtio_is_live(&block->virtio) || !queue->ready)
		return;
	block->facts.features = block->virtio.features;
	virtqueue_ask_notification(queue, block->virtio.memory, false);
	if (block_take(block, taking))
		return;
	virtqueue_ask_notification(queue, block->virtio.memory, true);
	block_take(block, taking);
}

/* ---- The thread ---- */

/* With the lock, once nothing is under way that shall be: true if it has to be flushed. */
static bool block_settle(struct block *block)
{
	if (block->settle == BLOCK_SETTLED)
		return false;
	if (block->settle == BLOCK_UNSETTLED && block->dirty) {
		block->settle = BLOCK_SETTLING;
		return true;
	}
	block->settle = BLOCK_SETTLED;
	block->settled = block->dirty ? -ETIMEDOUT : 0;
	if (block->lost)
		block->settled = block->lost;
	return false;
}

/* With the lock, while no flush is under way: true if one was asked for, and there is something to flush. */
static bool block_flushes_ahead(struct block *block)
{
	bool begins = block->ahead == BLOCK_AHEAD_ASKED && block->dirty && block->order == BLOCK_RUN;

	block->ahead = begins ? BLOCK_AHEAD_BEGUN : BLOCK_AHEAD_NONE;
	return begins;
}

/* With the lock: what is left to do before the disk is left alone. */
static void block_decide(struct block *block, struct block_view *view)
{
	bool stand = block->order != BLOCK_RUN, busy = block->under_way || block->flushing;
	uint64_t now = stand && busy ? host_monotonic().v : 0;

	view->leave = busy && (stand || block->resets);
	view->flush = (!block->flushing && block_flushes_ahead(block)) || (stand && !busy && block_settle(block));
	block->overdue |= stand && busy && now >= block->stand_by;
	if (stand && busy && !block->overdue)
		view->patience_ns = block->stand_by - now;
	block->standing = stand && (block->overdue || (!busy && !view->flush && !block->resizing));
	view->attend = busy || !block->standing;
}

static bool block_is_away(const struct block *block)
{
	const struct disk *disk = block->disk;

	return disk->ops->is_away && disk->ops->is_away(disk);
}

/* Gives and takes; tells those who wait what has changed. */
static struct block_view block_exchange(struct block *block)
{
	struct block_view view = { .taken = NULL };
	struct block_taking taking = { .end = &view.taken };
	bool given, away = block_is_away(block);

	lock_take(&block->virtio.device.lock);
	given = block_give(block);
	block_look(block, &taking);
	*taking.end = NULL;
	if (given || taking.answered)
		virtio_used(&block->virtio, block_queue(block));
	view.more = taking.count;
	view.resize = block->resizing;
	view.end = block->order == BLOCK_END;
	block->away = away;
	block_decide(block, &view);
	if (!block->under_way || block->standing)
		pthread_cond_broadcast(&block->changed);
	lock_drop(&block->virtio.device.lock);
	return view;
}

/* What is written from here on may need another one. */
static void block_flush(struct block *block)
{
	block->flushing = true;
	block->dirty = false;
	block->flush = (struct disk_request){ .operation = DISK_FLUSH };
	block->disk->ops->submit(block->disk, &block->flush);
}

/* Until nothing is new, or the disk's size is asked for. */
static struct block_view block_round(struct block *block)
{
	struct disk_request *request, *next;
	struct block_view view;

	do {
		view = block_exchange(block);
		for (request = view.taken; request; request = next) {
			next = request->next;
			block->disk->ops->submit(block->disk, request);
		}
		if (view.flush)
			block_flush(block);
	} while ((view.more || view.flush) && !view.resize && !view.end);
	return view;
}

/* What the disk has not done stays taken, and what was to be flushed dirty; whether that was anything. */
static bool block_withdraw(struct block *block)
{
	struct disk *disk = block->disk;
	struct disk_request *request;
	bool withdrawn = false;

	while (disk->ops->withdraw && (request = disk->ops->withdraw(disk))) {
		withdrawn = true;
		if (request == &block->flush) {
			block->flushing = false;
			block->dirty = true;
		} else {
			((struct block_request *)request)->left = true;
			block_add_done(block, request);
		}
	}
	return withdrawn;
}

static void block_look_size(struct block *block)
{
	struct error error = { .text = "" };
	int result = block->disk->ops->resize(block->disk, &error);
	uint64_t sectors = block->disk->size / DISK_SECTOR_SIZE;

	lock_take(&block->virtio.device.lock);
	if (!result && sectors != block->facts.sectors) {
		block->facts.sectors = sectors;
		virtio_config_changed(&block->virtio);
	}
	block->resized = result;
	block->resize_error = error;
	block->resizing = false;
	pthread_cond_broadcast(&block->changed);
	lock_drop(&block->virtio.device.lock);
}

/* For news from a driver or the disk; not for longer than `patience_ns`, unless that is 0. */
static void block_wait(struct block *block, bool attend, uint64_t patience_ns)
{
	int patience_ms = (int)(patience_ns / NS_PER_MS) + 1;
	struct pollfd wait[] = { { .fd = block->wake, .events = POLLIN }, { .fd = -1 } };
	struct disk *disk = block->disk;
	int timeout_ms = attend ? disk->ops->poll(disk, &wait[1]) : -1;
	eventfd_t ignored;

	if (patience_ns && (timeout_ms < 0 || timeout_ms > patience_ms))
		timeout_ms = patience_ms;
	events_await(wait, 2, timeout_ms);
	if (wait[0].revents)
		eventfd_read(block->wake, &ignored);
	if (attend)
		disk->ops->dispatch(disk, wait[1].revents);
}

void *block_worker(void *context)
{
	struct block *block = context;

	thread_number(block->virtio.device.instance);
	for (;;) {
		struct block_view view = block_round(block);

		/* quiesce() was waited for: what is still under way is given up, and its memory with it. */
		if (view.end) {
			block_withdraw(block);
			return NULL;
		}
		if (view.leave && block_is_away(block) && block_withdraw(block))
			continue;
		if (view.resize)
			block_look_size(block);
		else
			block_wait(block, view.attend, view.patience_ns);
	}
}
