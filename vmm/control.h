/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The control socket of a machine: one request and its answers a connection, a JSON object a line.
 *
 * Policy: a machine is found by its name, as a socket in the control folder, readable by its owner only. A request is
 * {"command": ...}; the last line of the answer is the result, {"ok": ...} or {"error": "sentence"}; a migration or
 * save sends {"progress": ...} lines before it. A client has a second to send its request.
 */
#ifndef VMM_CONTROL_H
#define VMM_CONTROL_H

#include "migration.h"
#include "saving.h"

#include <jansson.h>
#include <sys/un.h>

#define CONTROL_LINE_MAX 4096u

struct control {
	struct machine *machine;
	int listener;
	struct sockaddr_un address;
	struct migration migration;
	struct saving saving;
};

/* Where the socket of a machine is: in the control folder, SEACLOCK_DIR or /run/seaclock. -EINVAL, -ENAMETOOLONG. */
int control_address(const char *name, struct sockaddr_un *address, struct error *error);
const char *control_folder(void);

/* Opens the socket; -EEXIST if a machine of this name is running. */
int control_open(struct control *control, struct machine *machine, struct error *error);
/* Waits for a migration or save that is under way, and removes the socket. */
void control_close(struct control *control);

/* Somebody connects: takes one request and answers it; a migration or save goes on in a thread of its own.
 */
void control_serve(struct control *control);

/* The policy that a request names under "clock", or the one for a request that names none. */
int control_policy(const json_t *request, enum sc_clock_policy unsaid, enum sc_clock_policy *policy,
		   struct error *error);

/* A sentence as {"error": ...}; if it holds what no JSON can hold (half a character), `?` stands there. */
json_t *control_error(const struct error *error);

/* Lines of JSON over a socket. NULL at the end of the connection, or if no line is complete within the time limit. */
json_t *control_read_line(int fd, int timeout_ms);
void control_write_line(int fd, json_t *line);

#endif
