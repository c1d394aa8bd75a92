/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Requests on the control socket: which commands there are, and which fields each takes (doc/control.md).
 *
 * Policy: a request is checked as a whole before anything happens. A field that the monitor does not know is refused,
 * because its client relies on it. After request_check() the fields have the types that the table says.
 */
#ifndef VMM_CONTROL_REQUEST_H
#define VMM_CONTROL_REQUEST_H

#include "base/error.h"
#include "machine/clock.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

/* The version of the control protocol; a monitor takes no other. */
#define CONTROL_VERSION 1

/* The largest values that a client can ask for. */
#define REQUEST_DOWNTIME_MAX_MS 10000
#define REQUEST_MAX_STEP_MAX_US 1000000
#define REQUEST_BANDWIDTH_MAX_MIB 1000000

#define REQUEST_FIELDS_MAX 12

enum request_kind {
	REQUEST_TEXT,
	REQUEST_FLAG,	/* true or false */
	REQUEST_NUMBER, /* from low to high */
};

struct request_field {
	const char *name; /* NULL after the last */
	enum request_kind kind;
	uint32_t low, high;
};

struct request_command {
	const char *name;
	uint32_t descriptors; /* that may go with it */
	struct request_field field[REQUEST_FIELDS_MAX + 1];
};

/* Command number n; NULL after the last. */
const struct request_command *request_command_at(size_t n);

/* ---- The client's end ---- */

/* A request of this version, without further fields; to be freed. */
json_t *request_make(const char *command);

/*
 * Each adds a field, and leaves out what is not said: NULL, false, 0. If there is no memory for it the request is empty
 * from then on, and the client does not send it. False for a text that is not in UTF-8.
 */
bool request_set_text(json_t *request, const char *key, const char *text);
void request_set_flag(json_t *request, const char *key, bool flag);
void request_set_number(json_t *request, const char *key, uint32_t number);

/* ---- The monitor's end ---- */

/*
 * A request that came with so many descriptors. -EPROTONOSUPPORT if it has another version or none. -EINVAL if it is
 * not an object, or if its command, a field or a field's type is not in the table, or with more descriptors than it
 * takes.
 */
int request_check(const json_t *request, uint32_t descriptors, struct error *error);

/* Fields of a request that has been checked. One that is left out is NULL, false or `unsaid`. */
const char *request_text(const json_t *request, const char *key);
bool request_flag(const json_t *request, const char *key);
uint32_t request_number(const json_t *request, const char *key, uint32_t unsaid);

/* The policy under "clock"; -EINVAL if the text is none. */
int request_policy(const json_t *request, enum sc_clock_policy unsaid, enum sc_clock_policy *policy,
		   struct error *error);

#endif
