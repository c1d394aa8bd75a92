/* SPDX-License-Identifier: BSD-2-Clause */
/* Plain system calls on a disk's file: see the header. */
#include "dev/disk/plain.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* Not constant, so that it is of the zeroed memory that takes none until it is written, which it never is. */
static uint8_t zeroes[STEP_ZEROES_MAX];

const void *plain_zeroes(void)
{
	return zeroes;
}

static int64_t discard(int fd, const struct step *step)
{
	uint64_t range[2] = { step->offset, step->length };

	return ioctl(fd, BLKDISCARD, range);
}

static int64_t call(int fd, const struct step *step)
{
	off_t offset = (off_t)step->offset, length = (off_t)step->length;

	switch (step->call) {
	case STEP_READ:
		return preadv(fd, step->buffer, (int)step->buffers, offset);
	case STEP_WRITE:
		return pwritev(fd, step->buffer, (int)step->buffers, offset);
	case STEP_WRITE_ZEROES:
		return pwrite(fd, zeroes, step->length, offset);
	case STEP_SYNC:
		return fdatasync(fd);
	case STEP_ALLOCATE:
		return fallocate(fd, step->mode, offset, length);
	case STEP_DISCARD:
		return discard(fd, step);
	}
	errno = ENOSYS;
	return -1;
}

int64_t plain_call(int fd, const struct step *step)
{
	int64_t result = call(fd, step);

	return result < 0 ? -errno : result;
}

void plain_do(int fd, struct step_medium *medium, struct disk_request *request)
{
	struct step step;

	do
		step_next(request, &step);
	while (!step_end(medium, request, plain_call(fd, &step)));
}
