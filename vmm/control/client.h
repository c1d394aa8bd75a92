/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The client's end of the control socket: connects, sends a request, waits for the result.
 *
 * Policy: knows no terminal: results are JSON, progress goes to a callback. No wait is without a limit.
 *
 * Errors: -EINVAL for a name that no machine can have, -ESRCH if no such machine is running here, -ETIMEDOUT if its
 * monitor does not answer, -EPIPE if it closes the connection instead, -EREMOTEIO for what the monitor refuses; the
 * error then has the monitor's code, and its sentence unless it speaks another version of the protocol.
 */
#ifndef VMM_CONTROL_CLIENT_H
#define VMM_CONTROL_CLIENT_H

#include "base/error.h"
#include "control/descriptors.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

/* What goes with a request. If it is a file for the monitor to fill, `name` is called once it is filled, else NULL. */
struct client_passed {
	struct descriptors descriptors;
	/* 0 once the file has its name, or -errno and the sentence with which the request fails. */
	int (*name)(void *context, struct error *error);
	void *context;
};

/* `progress` is called with what stands under "progress". */
struct client_watch {
	void (*progress)(void *context, const json_t *progress);
	void *context;
	const struct client_passed *passed; /* NULL: nothing */
};

/*
 * Takes over the request (request.h). *answer is what stands under "ok", to be freed; only set on success. Waits for as
 * long as the monitor may work on it between two lines. `watch` may be NULL. -ENOMSG if nobody says what came of it.
 */
int client_ask(const char *name, json_t *request, const struct client_watch *watch, json_t **answer,
	       struct error *error);

/*
 * Presses the machine's power button and waits until its monitor has ended, at most so many seconds, 0 for not at all:
 * -ETIMEDOUT if it has not.
 */
int client_shutdown(const char *name, uint32_t wait_s, struct error *error);

/*
 * Attaches to a console of the machine, which from then on is at the other end of *fd, not blocking, until the machine
 * ends (stream.h).
 */
int client_attach(const char *name, bool virtio, int *fd, struct error *error);

/*
 * Ends the machine's monitor as it is; by a signal if it does not answer, or speaks another version: *killed is what it
 * did then, in words, and else NULL.
 */
int client_stop_now(const char *name, const char **killed, struct error *error);

/* A machine's status, at once; to be freed. */
int client_status(const char *name, json_t **status, struct error *error);

/*
 * A list with the status of every machine of this control folder, to be freed; NULL if the folder cannot be read.
 * -ETIMEDOUT if some do not answer, or else -EPROTONOSUPPORT if some speak another version: in the list these have
 * "name", "error" and "code".
 */
int client_status_all(json_t **all, struct error *error);

#endif
