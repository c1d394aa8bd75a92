/* SPDX-License-Identifier: BSD-2-Clause */
/* The commands that speak to a running machine: each asks its monitor, and prints what that answers. */
#ifndef VMM_COMMAND_OPERATOR_H
#define VMM_COMMAND_OPERATOR_H

#include "base/error.h"

#include <stdbool.h>
#include <stdint.h>

struct operator_options {
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

/* Errors are those of control/client.h. */

/* Ends the machine's monitor as it is, by a signal if it does not answer. */
int operator_stop_now(const char *name, const struct operator_options *options, struct error *error);

/* pause, resume, stop. */
int operator_command(const char *command, const char *name, const struct operator_options *options,
		     struct error *error);

/* Waits for the end of the migration; or of the dry run; or, with `cancel`, calls it off, and `host` is not used. */
int operator_migrate(const char *name, const char *host, const struct operator_options *options, struct error *error);

/* Waits until the machine is in the file, which the monitor writes. */
int operator_save(const char *name, const char *file, const struct operator_options *options, struct error *error);

/* One machine, or with NULL all of this control folder: -ETIMEDOUT if some do not answer, which the list says too. */
int operator_status(const char *name, const struct operator_options *options, struct error *error);

#endif
