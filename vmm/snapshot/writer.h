/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A file that a machine is saved to: frames, compressed by zstd, and a seal.
 *
 * Policy: the file is somebody else's, who has made it and gives it a name (snapshot/draft). It is no saved machine
 * before it has its seal, which is written last, once all else is on the disk.
 */
#ifndef VMM_SNAPSHOT_WRITER_H
#define VMM_SNAPSHOT_WRITER_H

#include "transfer/sink.h"

#include <zstd.h>

struct snapshot_writer {
	struct sink sink; /* first, so that it is the writer; counts what goes in */
	const char *path; /* what the file is called in sentences */
	int fd;
	ZSTD_CCtx *zstd;
	uint8_t *out;
	size_t out_size;
	size_t filled; /* of out */
	uint64_t checksum;
	uint64_t written; /* bytes of the file */
	uint64_t synced;  /* of these, how many are on the disk */
};

/* Descriptor and path stay the caller's. -EINVAL if it is not of a new and empty file that can be written. */
int snapshot_writer_open(struct snapshot_writer *writer, int fd, const char *path, struct error *error);

/* All frames have been put: they are on the disk, and so is the room for the seal. */
int snapshot_writer_finish(struct snapshot_writer *writer, struct error *error);

/*
 * From here on the file holds the machine, and survives a crash of the host. On an error it does not; if even that
 * cannot be made sure, the sentence says that it must not be restored.
 */
int snapshot_writer_seal(struct snapshot_writer *writer, struct error *error);

void snapshot_writer_close(struct snapshot_writer *writer);

#endif
