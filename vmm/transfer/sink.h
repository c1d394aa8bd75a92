/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where frames go: a connection, or a file.
 *
 * Policy: whoever makes frames knows this and no socket. A sink takes a frame whole or fails with a sentence.
 */
#ifndef VMM_TRANSFER_SINK_H
#define VMM_TRANSFER_SINK_H

#include "transfer/frame.h"

struct sink {
	/* The frame's content is in two parts; either may be empty. */
	int (*put)(struct sink *sink, enum frame_type type, const void *head, size_t head_size, const void *data,
		   size_t size, struct error *error);
	uint64_t sent; /* bytes taken so far, headers included */
};

/* Puts a frame of what was collected, and frees it either way. -ENOMEM if not all of it could be. */
int sink_put_buffer(struct sink *sink, enum frame_type type, struct buffer *buffer, struct error *error);

#endif
