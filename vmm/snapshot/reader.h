/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A file that a machine was saved to, as frames.
 *
 * Policy: the whole file is held against its seal before the first frame comes out of it, so that a damaged one never
 * gets as far as a machine. What is in it is treated as hostile all the same. Reading ends for an order to end.
 */
#ifndef VMM_SNAPSHOT_READER_H
#define VMM_SNAPSHOT_READER_H

#include "transfer/frame.h"

#include <zstd.h>

struct snapshot_reader {
	const char *path;
	int fd;
	uint64_t left; /* compressed bytes that were not read yet */
	ZSTD_DCtx *zstd;
	uint8_t *in;
	ZSTD_inBuffer input;
	bool ended; /* zstd's frame is complete, its checksum right */
	struct buffer frame;
};

/* Opens the file and checks it. `path` lives as long as the reader. On an error there is nothing to close. -EINTR. */
int snapshot_reader_open(struct snapshot_reader *reader, const char *path, struct error *error);
void snapshot_reader_close(struct snapshot_reader *reader);

/* The next frame; FRAME_DONE only as the last, with nothing behind it. -EPROTO; -EINTR. */
int snapshot_reader_next(struct snapshot_reader *reader, struct frame *frame, struct error *error);

#endif
