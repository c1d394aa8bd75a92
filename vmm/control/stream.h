/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The end of a console's connection, after the guest's output: a zero byte and a line with what became of the machine
 * (doc/control.md). Written by the monitor, found by the client.
 *
 * Policy: the guest can say what looks like the end, but more follows on that, so it is output. The client sees output
 * at once, but for what may be the end.
 */
#ifndef VMM_CONTROL_STREAM_H
#define VMM_CONTROL_STREAM_H

#include "machine/machine.h"

#include <jansson.h>

/* The longest end, with the zero byte and that of the line. */
#define STREAM_END_MAX 1024u

/* For the monitor. `host`: where the machine runs on, NULL if not; `unread`: bytes of the client's that were not read.
 */
void stream_send_end(int fd, enum machine_end end, const char *host, uint64_t unread);

/* For the client: what was read and may be the end. */
struct stream {
	size_t held;
	char end[STREAM_END_MAX];
};

/* From `size` bytes of the connection, those to be shown, at most STREAM_END_MAX more: how many. */
size_t stream_take(struct stream *stream, const char *bytes, size_t size, char *shown);

/*
 * The connection has ended: how the machine did. MACHINE_END_NONE if nothing tells, and what is held is output then.
 * *host is where it runs on, NULL if nowhere else; `line` is to be freed, and has it.
 */
enum machine_end stream_end(const struct stream *stream, json_t **line, const char **host, uint64_t *unread);

#endif
