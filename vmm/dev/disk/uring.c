/* SPDX-License-Identifier: BSD-2-Clause */
/* Requests to a file by io_uring: see the header. */
#include "dev/disk/uring.h"

#include "dev/disk/plain.h"

#include <errno.h>
#include <sys/syscall.h>
#include <unistd.h>

/* When the kernel has no room for more requests. */
#define RETRY_MS 10

/* The operations of entry_fill(), without flags: a filter of system calls does not see what is asked for in a ring. */
static int uring_restrict(struct uring *uring)
{
	static const uint8_t operations[] = { IORING_OP_READV, IORING_OP_WRITEV, IORING_OP_WRITE, IORING_OP_FSYNC,
					      IORING_OP_FALLOCATE };
	struct io_uring_restriction allowed[sizeof(operations)] = { { .opcode = 0 } };

	for (size_t n = 0; n < sizeof(operations); n++) {
		allowed[n].opcode = IORING_RESTRICTION_SQE_OP;
		allowed[n].sqe_op = operations[n];
	}
	/* Not every version of the library has calls for this. */
	if (syscall(SYS_io_uring_register, uring->ring.ring_fd, IORING_REGISTER_RESTRICTIONS, allowed,
		    sizeof(operations)) ||
	    syscall(SYS_io_uring_register, uring->ring.ring_fd, IORING_REGISTER_ENABLE_RINGS, NULL, 0))
		return -errno;
	return 0;
}

int uring_open(struct uring *uring, int fd, struct step_medium *medium)
{
	/* No interrupt of this thread for what is done: it looks when it comes back from poll(). Linux 5.19. */
	struct io_uring_params params = { .flags = IORING_SETUP_COOP_TASKRUN | IORING_SETUP_TASKRUN_FLAG |
						   IORING_SETUP_R_DISABLED };
	int result;

	*uring = (struct uring){ .fd = fd, .medium = medium };
	result = io_uring_queue_init_params(DISK_DEPTH, &uring->ring, &params);
	if (result)
		return result;
	result = uring_restrict(uring);
	if (result)
		io_uring_queue_exit(&uring->ring);
	return result;
}

void uring_close(struct uring *uring)
{
	io_uring_queue_exit(&uring->ring);
}

void uring_put(struct uring *uring, struct disk_request *request)
{
	disk_request_put(&uring->waiting, request);
}

static void entry_fill(struct io_uring_sqe *entry, int fd, const struct step *step)
{
	switch (step->call) {
	case STEP_READ:
		io_uring_prep_readv(entry, fd, step->buffer, step->buffers, step->offset);
		break;
	case STEP_WRITE:
		io_uring_prep_writev(entry, fd, step->buffer, step->buffers, step->offset);
		break;
	case STEP_WRITE_ZEROES:
		io_uring_prep_write(entry, fd, plain_zeroes(), (unsigned int)step->length, step->offset);
		break;
	case STEP_SYNC:
		io_uring_prep_fsync(entry, fd, IORING_FSYNC_DATASYNC);
		break;
	default:
		io_uring_prep_fallocate(entry, fd, step->mode, (off_t)step->offset, (off_t)step->length);
	}
}

/* False if there is no room. */
static bool request_start(struct uring *uring, struct disk_request *request, struct disk_request_list *done)
{
	struct io_uring_sqe *entry;
	struct step step;

	step_next(request, &step);
	if (step.call == STEP_DISCARD) {
		/* The ring has no such call: it is made here and now. */
		plain_do(uring->fd, uring->medium, request);
		disk_request_put(done, request);
		return true;
	}
	entry = uring->in_flight < DISK_DEPTH ? io_uring_get_sqe(&uring->ring) : NULL;
	if (!entry)
		return false;
	entry_fill(entry, uring->fd, &step);
	io_uring_sqe_set_data(entry, request);
	uring->in_flight++;
	uring->unsent = true;
	return true;
}

int uring_start(struct uring *uring, struct disk_request_list *done)
{
	struct disk_request *request;
	int result;

	while ((request = disk_request_take(&uring->waiting))) {
		if (request_start(uring, request, done))
			continue;
		disk_request_put_back(&uring->waiting, request);
		break;
	}
	if (!uring->unsent)
		return -1;
	/* A failure is for the moment, too little memory or an interrupt: what it leaves the next call takes along. */
	result = io_uring_submit(&uring->ring);
	uring->unsent = result < 0 || io_uring_sq_ready(&uring->ring);
	return uring->unsent ? RETRY_MS : -1;
}

void uring_reap(struct uring *uring, struct disk_request_list *done)
{
	struct io_uring_cqe *entry;

	while (!io_uring_peek_cqe(&uring->ring, &entry)) {
		struct disk_request *request = io_uring_cqe_get_data(entry);
		int result = entry->res;

		io_uring_cqe_seen(&uring->ring, entry);
		uring->in_flight--;
		disk_request_put(step_end(uring->medium, request, result) ? done : &uring->waiting, request);
	}
}
