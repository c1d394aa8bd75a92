/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The operator's end of the control socket: the commands that speak to a running machine.
 *
 * Policy: for a person, a sentence or a short table; with `json`, exactly one JSON object on standard output. Progress
 * is shown on a terminal only.
 */
#ifndef VMM_CONTROL_CLIENT_H
#define VMM_CONTROL_CLIENT_H

#include "base/error.h"

#include <stdbool.h>
#include <stdint.h>

struct client_options {
	bool json;
	bool force;
	bool now;
	bool inferred;
	const char *clock; /* a policy by name; NULL: not said */
	bool cancel;
	bool dry_run;
	uint32_t downtime_ms; /* 0: not said */
	uint32_t max_step_us; /* 0: not said */
};

/*
 * Errors: -EINVAL for a name that is none, -ESRCH if no such machine is running here, -ETIMEDOUT if its monitor does
 * not answer, -EREMOTEIO for what the monitor refuses; error->err is then the one behind the monitor's code.
 */

/* Ends the machine's monitor as it is, by a signal if it does not answer. */
int client_stop_now(const char *name, const struct client_options *options, struct error *error);

/* pause, resume, stop. */
int client_command(const char *command, const char *name, const struct client_options *options, struct error *error);

/* Waits for the end of the migration; or of the dry run; or, with `cancel`, calls it off, and `host` is not used. */
int client_migrate(const char *name, const char *host, const struct client_options *options, struct error *error);

/* Waits until the machine is in the file, which the monitor writes. */
int client_save(const char *name, const char *file, const struct client_options *options, struct error *error);

/* One machine, or with NULL all of this control folder: -ETIMEDOUT if some do not answer, which the list says too. */
int client_status(const char *name, const struct client_options *options, struct error *error);

#endif
