/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Lines of JSON over a control socket, one object a line, and errors as such objects. Used by both ends.
 *
 * Policy: a writer never waits for a reader. Progress is dropped early, so that the result still has room.
 */
#ifndef VMM_CONTROL_LINE_H
#define VMM_CONTROL_LINE_H

#include "base/error.h"
#include "control/descriptors.h"

#include <jansson.h>

/* The longest request and the longest answer, in bytes, with the end of the line. */
#define CONTROL_LINE_MAX 4096u
#define CONTROL_ANSWER_MAX 65536u

/*
 * The next line of an answer; NULL with errno: ETIMEDOUT if it is not complete within the time limit, ECONNRESET at the
 * end of the connection, EPROTO if it is not JSON or too long, ENOMEM.
 */
json_t *control_read_line(int fd, int timeout_ms);

/* Takes over `line`, and sends it if the socket has room; -errno, -ENOMEM also for a line that is NULL. */
int control_send_line(int fd, json_t *line);

/* The same, with descriptors. */
int control_send_request(int fd, json_t *line, const struct descriptors *descriptors);

/* The same for a monitor, which does not care whether its client listens. Of what it has no memory for it says so. */
void control_write_line(int fd, json_t *line);

/* The same for progress, which is dropped if the reader is behind. */
void control_write_progress(int fd, json_t *line);

/* An error as {"error": sentence, "code": code}. What JSON cannot hold (half a character) is replaced by `?`. */
json_t *control_error(const struct error *error);

#endif
