/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The file that keeps the contents of a flash (base/replace.h), and who waits for it.
 *
 * Policy: a file system of a server answers when it likes. So a thread makes all calls, one at a time, and whoever
 * wants one made waits for the thread, and not for longer than he says. The thread ends when there is nothing to do.
 * Contents are written while the file is ours; what comes while older ones are being written waits for that. The lock
 * becomes what was asked for last, once nothing is left to write: one that comes when nobody waits for it any more is
 * given back.
 */
#ifndef VMM_DEV_FLASH_FILE_H
#define VMM_DEV_FLASH_FILE_H

#include "base/lock.h"
#include "base/replace.h"

/* As replace_write(). */
typedef int (*flash_file_write_fn)(struct replace *replace, const void *data, size_t size, uint64_t length,
				   struct error *error);

struct flash_file {
	struct replace replace; /* the thread's; its path is fixed */
	flash_file_write_fn write;
	struct lock lock; /* what follows */
	pthread_cond_t changed;
	bool works;    /* the thread is there */
	bool closed;   /* the thread is the last that knows of it */
	bool wanted;   /* the file */
	bool held;     /* it is ours */
	void *content; /* to be written; NULL: none */
	size_t size;
	uint64_t length;
	struct error take_error; /* of the last try to take it; its errno: 0 if it went well, as below */
	struct error write_error;
};

/* -errno and a sentence: as replace_init(), or this host has no memory. */
int flash_file_open(struct flash_file **file, const char *path, struct error *error);
/* Gives it back, and does not wait; what has not been written is not written any more. */
void flash_file_close(struct flash_file *file);

/*
 * With a sentence: -EBUSY: somebody else has it; -ETIMEDOUT: there was no answer within the limit; -ENOMEM: this host
 * has no thread for it; or another -errno.
 */
int flash_file_lock(struct flash_file *file, int limit_ms, struct error *error);
/* -ETIMEDOUT and a sentence: it is ours until there is an answer. */
int flash_file_unlock(struct flash_file *file, int limit_ms, struct error *error);

/* Contents as replace_write() takes them, in memory that is to be freed. It is ours. */
void flash_file_put(struct flash_file *file, void *content, size_t size, uint64_t length);
/*
 * Until all is written: -ETIMEDOUT if that takes longer, or another -errno if the last write failed, with a sentence,
 * once.
 */
int flash_file_await(struct flash_file *file, int limit_ms, struct error *error);

#endif
