/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A file that a machine is saved to: frames, compressed by zstd, and a seal.
 *
 * Policy: all or nothing. Everything goes to a temporary file beside the one that is meant, readable by its owner only;
 * it takes that one's place once all of it is on the disk. A file that was there before is lost only for a new one.
 */
#ifndef VMM_SNAPSHOT_WRITER_H
#define VMM_SNAPSHOT_WRITER_H

#include "transfer/sink.h"

#include <limits.h>
#include <zstd.h>

struct snapshot_writer {
	struct sink sink; /* first, so that it is the writer; counts what goes in */
	char path[PATH_MAX];
	char temporary[PATH_MAX];
	char older[PATH_MAX]; /* where the file is that was there before, once the new one is in its place; "": none */
	int fd;
	int folder; /* the one that both are in; -1 if it may not be read */
	ZSTD_CCtx *zstd;
	uint8_t *out;
	size_t out_size;
	size_t filled; /* of out */
	uint64_t checksum;
	uint64_t written; /* bytes of the file */
};

/* The path is absolute. On an error there is nothing to discard. */
int snapshot_writer_open(struct snapshot_writer *writer, const char *path, struct error *error);

/* All frames have been put: they are on the disk, in the temporary file. */
int snapshot_writer_finish(struct snapshot_writer *writer, struct error *error);

/*
 * From here on the file is there, and survives a crash of the host. On an error what was there before is there again;
 * if that fails too, the sentence names the new file, which must not be restored, and where the older one is. Closes
 * the writer either way.
 */
int snapshot_writer_commit(struct snapshot_writer *writer, struct error *error);

/* Closes it and leaves nothing behind. */
void snapshot_writer_discard(struct snapshot_writer *writer);

#endif
