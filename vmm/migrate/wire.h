/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The socket under a stream: several records of TLS leave by one call, and several of them, or of the stream's frames,
 * are taken by one.
 *
 * Policy: a call costs more than a copy, and TLS by itself makes one to send a record and two to receive it. What is
 * collected leaves in its order, before anything else does. What was read ahead no event of poll() tells of. Buffers
 * are there from their first use, so that a stranger has none. Nothing here waits, or knows what the bytes are.
 */
#ifndef VMM_MIGRATE_WIRE_H
#define VMM_MIGRATE_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/uio.h>

/* Records of TLS 1.3 (RFC 8446, 5.2): what fits into one, and how much larger it is here: header, type and tag. */
#define WIRE_RECORD_MAX 16384u
#define WIRE_RECORD_MORE (5u + 1 + 16)

/* Records that leave by one call: a frame of pages is that long. */
#define WIRE_BATCH_RECORDS 17u
/* With room for the little that TLS may have to say by itself. */
#define WIRE_BATCH_MAX ((size_t)WIRE_BATCH_RECORDS * (WIRE_RECORD_MAX + WIRE_RECORD_MORE) + 1024)
/* What one call may take beyond what is asked for. */
#define WIRE_AHEAD_MAX 131072u

struct wire {
	int fd;
	bool collects;
	bool reads_ahead;
	uint8_t *batch;
	size_t batch_at, batch_end; /* what has not left yet */
	uint8_t *ahead;
	size_t ahead_at, ahead_end; /* what nobody has asked for yet */
};

/* Frees the buffers; the socket is the caller's. */
void wire_close(struct wire *wire);

/* All of these return -errno if the call fails; -EAGAIN, if the socket has to be waited for. */

/* Sends what was collected before, and then some of this. Or collects all of it: -ENOBUFS, if there is no room. */
ssize_t wire_push(struct wire *wire, const struct iovec *parts, int count);
/* 0 once all that was collected has left; with `more` to come soon the kernel may keep the last of it for a while. */
int wire_flush(struct wire *wire, bool more);
/* From now on what is pushed is collected, or not any more. -ENOMEM. */
int wire_collect(struct wire *wire, bool on);

/* As recv() does it. */
ssize_t wire_pull(struct wire *wire, void *data, size_t size);
/* Whether it takes more than what is asked for; without memory it does not. What it has already stays to be pulled. */
void wire_read_ahead(struct wire *wire, bool on);
/* Whether there is something that was read ahead. */
bool wire_has_ahead(const struct wire *wire);

#endif
