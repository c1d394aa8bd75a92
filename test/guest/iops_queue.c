// SPDX-License-Identifier: BSD-2-Clause
/* Requests under way: see the header. */
#include "iops_queue.h"

#include <errno.h>
#include <linux/aio_abi.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define ALIGNMENT 4096u

struct queue {
	const struct queue_load *load;
	struct walk *walk;
	aio_context_t context;
	char *buffers; /* one for each request that may be under way */
	struct iocb block[QUEUE_DEPTH_MAX];
	struct iocb *idle[QUEUE_DEPTH_MAX];
	long idle_count;
	uint64_t left; /* not begun */
	uint64_t under_way;
};

static uint64_t counter(void)
{
	uint64_t count;

	__asm__ volatile("isb\n\tmrs %0, cntvct_el0\n\tisb" : "=r"(count) : : "memory");
	return count;
}

static int queue_open(struct queue *queue, const struct queue_load *load, struct walk *walk)
{
	*queue = (struct queue){ .load = load, .walk = walk, .left = load->requests };
	queue->buffers = aligned_alloc(ALIGNMENT, load->depth * walk->size);
	if (!queue->buffers)
		return -ENOMEM;
	/* Touched now: a page that the kernel still has to give would be measured. */
	memset(queue->buffers, 0x5a, load->depth * walk->size);
	for (; queue->idle_count < load->depth; queue->idle_count++)
		queue->idle[queue->idle_count] = &queue->block[queue->idle_count];
	return syscall(SYS_io_setup, load->depth, &queue->context) ? -errno : 0;
}

static void queue_close(struct queue *queue)
{
	if (queue->context)
		syscall(SYS_io_destroy, queue->context);
	free(queue->buffers);
}

static void block_fill(struct queue *queue, struct iocb *block)
{
	*block = (struct iocb){
		.aio_lio_opcode = queue->load->write ? IOCB_CMD_PWRITE : IOCB_CMD_PREAD,
		.aio_fildes = (uint32_t)queue->load->fd,
		.aio_buf = (uintptr_t)(queue->buffers + (size_t)(block - queue->block) * queue->walk->size),
		.aio_nbytes = queue->walk->size,
		.aio_offset = (int64_t)walk_next(queue->walk),
	};
}

/* Begins as many requests as there is room for. */
static int queue_fill(struct queue *queue)
{
	struct iocb *block[QUEUE_DEPTH_MAX];
	long count = 0, begun = 0;

	for (; queue->idle_count && queue->left; queue->left--) {
		block[count] = queue->idle[--queue->idle_count];
		block_fill(queue, block[count++]);
	}
	while (begun < count) {
		long result = syscall(SYS_io_submit, queue->context, count - begun, block + begun);

		if (result < 0)
			return -errno;
		begun += result;
	}
	queue->under_way += (uint64_t)count;
	return 0;
}

/* Waits for at least one of them. */
static int queue_reap(struct queue *queue)
{
	struct io_event event[QUEUE_DEPTH_MAX];
	long count = syscall(SYS_io_getevents, queue->context, 1L, (long)QUEUE_DEPTH_MAX, event, NULL);

	if (count < 0)
		return -errno;
	for (long n = 0; n < count; n++) {
		if (event[n].res != (int64_t)queue->walk->size)
			return event[n].res < 0 ? (int)event[n].res : -EIO;
		queue->idle[queue->idle_count++] =
			&queue->block[((struct iocb *)(uintptr_t)event[n].obj) - queue->block];
	}
	queue->under_way -= (uint64_t)count;
	return 0;
}

int queue_run(const struct queue_load *load, struct walk *walk, uint64_t *ticks)
{
	struct queue queue;
	int result = queue_open(&queue, load, walk);
	uint64_t start = counter();

	while (!result && (queue.left || queue.under_way)) {
		result = queue_fill(&queue);
		if (!result)
			result = queue_reap(&queue);
	}
	*ticks = counter() - start;
	queue_close(&queue);
	return result;
}
