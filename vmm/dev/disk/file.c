/* SPDX-License-Identifier: BSD-2-Clause */
/* Disks that are files or block devices: see the header. */
#include "dev/disk/file.h"

#include "base/log.h"
#include "dev/disk/claim.h"
#include "dev/disk/plain.h"
#include "dev/disk/request.h"
#include "dev/disk/uring.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/fs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

struct file {
	struct disk disk;
	int fd;
	struct claim *claim;
	bool has_uring;
	struct step_medium medium;
	struct uring uring;
	struct disk_request_list waiting; /* for plain calls */
	struct disk_request_list done;
};

static struct file *file_of(struct disk *disk)
{
	return (struct file *)disk;
}

/* ---- Requests ---- */

/* What a request needs before any call; true if there is more. */
static bool file_begin(struct file *file, struct disk_request *request)
{
	bool has_steps = step_begin(&file->medium, request);

	request->result = disk_request_check(&file->disk, request);
	/* Nothing was written that could be flushed. */
	return !request->result && has_steps && !(request->operation == DISK_FLUSH && file->disk.readonly);
}

static void file_submit(struct disk *disk, struct disk_request *request)
{
	struct file *file = file_of(disk);

	if (!file_begin(file, request))
		disk_request_put(&file->done, request);
	else if (file->has_uring)
		uring_put(&file->uring, request);
	else
		disk_request_put(&file->waiting, request);
}

static int file_poll(struct disk *disk, struct pollfd *wanted)
{
	struct file *file = file_of(disk);
	int again_ms = -1;

	*wanted = (struct pollfd){ .fd = -1 };
	if (file->has_uring) {
		again_ms = uring_start(&file->uring, &file->done);
		*wanted = (struct pollfd){ .fd = file->uring.ring.ring_fd, .events = POLLIN };
	}
	return file->done.first || file->waiting.first ? 0 : again_ms;
}

static void file_dispatch(struct disk *disk, short events)
{
	struct file *file = file_of(disk);
	struct disk_request_list plain = file->waiting, done;
	struct disk_request *request;

	(void)events;
	file->waiting = (struct disk_request_list){ .first = NULL };
	while ((request = disk_request_take(&plain))) {
		plain_do(file->fd, &file->medium, request);
		disk_request_put(&file->done, request);
	}
	if (file->has_uring)
		uring_reap(&file->uring, &file->done);
	/* Only those: what is submitted meanwhile has its turn later. */
	done = file->done;
	file->done = (struct disk_request_list){ .first = NULL };
	disk_request_hand_over(disk, &done);
}

/* ---- Ownership ---- */

static int file_unanswered(const struct disk *disk, struct error *error)
{
	return error_set(error, ETIMEDOUT,
			 "its file system does not answer about the lock of %s: try again once it does", disk->where);
}

/*
 * What this host has read of a block device before may be older than what another one has written since: it is read
 * again. File systems that hosts share see to that themselves.
 */
static void file_forget(const struct file *file)
{
	if (file->medium.is_block)
		posix_fadvise(file->fd, 0, 0, POSIX_FADV_DONTNEED);
}

static int file_lock(struct disk *disk, int limit_ms, struct error *error)
{
	int result = claim_take(file_of(disk)->claim, limit_ms);

	switch (result) {
	case 0:
		file_forget(file_of(disk));
		return 0;
	case -EAGAIN:
	case -EACCES:
		return error_set(error, EBUSY, "the disk %s is in use: another process has it locked%s", disk->where,
				 disk->readonly ? " for writing" : "");
	case -ETIMEDOUT:
		return file_unanswered(disk, error);
	case -ENOMEM:
		return error_set(error, ENOMEM, "no memory or thread for the lock of the disk %s", disk->where);
	default:
		return error_set(error, error_of_call(-result),
				 "cannot lock the disk %s (%s): its file system must have locks", disk->where,
				 strerror(-result));
	}
}

static int file_unlock(struct disk *disk, int limit_ms, struct error *error)
{
	int result = claim_drop(file_of(disk)->claim, limit_ms);

	if (result == -ETIMEDOUT)
		return file_unanswered(disk, error);
	return result ? error_set(error, error_of_call(-result), "cannot unlock the disk %s (%s)", disk->where,
				  strerror(-result))
		      : 0;
}

static int file_check_locked(struct disk *disk, int limit_ms, struct error *error)
{
	struct file *file = file_of(disk);
	bool locked;
	int result;

	if (file->medium.is_block)
		return error_set(error, ENOTSUP,
				 "whether another host uses the block device %s cannot be seen from here", disk->where);
	result = claim_look(file->claim, &locked, limit_ms);
	if (result == -ETIMEDOUT)
		return file_unanswered(disk, error);
	if (result)
		return error_set(error, error_of_call(-result), "cannot look at the locks of the disk %s (%s)",
				 disk->where, strerror(-result));
	if (!locked)
		return error_set(
			error, ENOLCK,
			"no machine has %s locked, so it is not the disk of a machine that runs: name the file "
			"that both hosts share, whose file system must have locks",
			disk->where);
	return 0;
}

/* ---- Size ---- */

static int file_measure(const struct file *file, uint64_t *size, struct error *error)
{
	const char *where = file->disk.where;
	struct stat facts = { .st_size = 0 };

	if (file->medium.is_block ? ioctl(file->fd, BLKGETSIZE64, size) : fstat(file->fd, &facts))
		return error_set(error, error_of_call(errno), "cannot measure the disk %s (%s)", where,
				 strerror(errno));
	if (!file->medium.is_block)
		*size = (uint64_t)facts.st_size;
	if (!*size)
		return error_set(error, EINVAL, "the disk %s is empty: give it a size", where);
	if (*size % DISK_SECTOR_SIZE)
		return error_set(error, EINVAL,
				 "the disk %s has %" PRIu64 " bytes, which is no multiple of %u: give it another size",
				 where, *size, DISK_SECTOR_SIZE);
	return 0;
}

static int file_resize(struct disk *disk, struct error *error)
{
	uint64_t size = 0;
	int result = file_measure(file_of(disk), &size, error);

	if (result)
		return result;
	if (size < disk->size)
		return error_set(error, EINVAL,
				 "the disk %s has shrunk from %" PRIu64 " to %" PRIu64 " bytes: a disk can only grow",
				 disk->where, disk->size, size);
	disk->size = size;
	return 0;
}

/* ---- Life ---- */

static void file_close(struct disk *disk)
{
	struct file *file = file_of(disk);

	if (file->has_uring)
		uring_close(&file->uring);
	if (file->claim)
		claim_close(file->claim);
	if (file->fd >= 0)
		close(file->fd);
	free(file);
}

static const struct disk_ops file_ops = {
	.submit = file_submit,
	.poll = file_poll,
	.dispatch = file_dispatch,
	.lock = file_lock,
	.unlock = file_unlock,
	.check_locked = file_check_locked,
	.resize = file_resize,
	.close = file_close,
};

static int file_refuse(const struct file *file, int err, struct error *error)
{
	const char *where = file->disk.where;
	const char *what = file->disk.readonly ? "read" : "read and write";

	switch (err) {
	case ENOENT:
	case ENOTDIR:
		return error_set(error, ENOENT, "there is no disk %s", where);
	case EISDIR:
		return error_set(error, EINVAL, "%s is a folder, not a disk", where);
	case EACCES:
	case EPERM:
		return error_set(error, EACCES, "this user may not %s the disk %s%s", what, where,
				 file->disk.readonly ? "" : "; if reading is enough, add readonly");
	case EROFS:
		return error_set(error, EACCES, "the disk %s is on a medium that cannot be written: add readonly",
				 where);
	default:
		return error_set(error, error_of_call(err), "cannot open the disk %s (%s)", where, strerror(err));
	}
}

/* What is there, found out without opening it: some devices take that for an order, and a FIFO would wait. */
static int file_examine(struct file *file, int place, struct error *error)
{
	struct stat facts;

	if (fstat(place, &facts))
		return file_refuse(file, errno, error);
	if (S_ISDIR(facts.st_mode))
		return file_refuse(file, EISDIR, error);
	if (!S_ISREG(facts.st_mode) && !S_ISBLK(facts.st_mode))
		return error_set(error, EINVAL, "%s is neither a file nor a block device", file->disk.where);
	file->medium.is_block = S_ISBLK(facts.st_mode);
	/* A number of this host's own for a device, the server's for a file of a server. */
	file->disk.identity = file->medium.is_block ? 0 : facts.st_ino;
	return 0;
}

/* Opens what was examined, whatever has the name by now; -1 and errno. */
static int place_open(int place, int access)
{
	char name[sizeof("/proc/self/fd/") + sizeof("2147483647")];

	snprintf(name, sizeof(name), "/proc/self/fd/%d", place);
	return open(name, access | O_CLOEXEC);
}

static int file_open(struct file *file, struct error *error)
{
	int place = open(file->disk.where, O_PATH | O_CLOEXEC);
	int result;

	if (place < 0)
		return file_refuse(file, errno, error);
	result = file_examine(file, place, error);
	if (!result) {
		file->fd = place_open(place, file->disk.readonly ? O_RDONLY : O_RDWR);
		if (file->fd < 0)
			result = file_refuse(file, errno, error);
	}
	close(place);
	return result ? result : file_measure(file, &file->disk.size, error);
}

static int file_make_claim(struct file *file, struct error *error)
{
	short type = file->disk.readonly ? F_RDLCK : F_WRLCK;
	int result = claim_create(&file->claim, file->fd, type, claim_call);

	return result ? error_set(error, -result, "no descriptor for the lock of the disk %s (%s)", file->disk.where,
				  strerror(-result))
		      : 0;
}

static int file_choose_engine(struct file *file, enum disk_file_engine engine, struct error *error)
{
	int result = engine == DISK_FILE_PLAIN ? 0 : uring_open(&file->uring, file->fd, &file->medium);

	file->has_uring = engine != DISK_FILE_PLAIN && !result;
	if (result && engine == DISK_FILE_URING)
		return error_set(error, error_of_call(-result), "this host does not allow io_uring (%s)",
				 strerror(-result));
	if (result)
		log_line("this host does not allow io_uring (%s): the disk %s does one request at a time",
			 strerror(-result), file->disk.where);
	return 0;
}

int disk_file_open(struct disk **disk, const struct disk_options *options, enum disk_file_engine engine,
		   struct error *error)
{
	struct file *file = calloc(1, sizeof(*file));
	int result;

	if (!file)
		return error_set(error, ENOMEM, "no memory for the disk %s", options->where);
	file->fd = -1;
	file->disk.ops = &file_ops;
	file->disk.where = options->where;
	file->disk.thread = THREAD_DISK;
	file->disk.readonly = options->readonly;
	file->disk.can_discard = !options->readonly;
	file->disk.can_write_zeroes = !options->readonly;
	result = file_open(file, error);
	if (!result)
		result = file_make_claim(file, error);
	if (!result)
		result = file_choose_engine(file, engine, error);
	if (result)
		file_close(&file->disk);
	else
		*disk = &file->disk;
	return result;
}
