// SPDX-License-Identifier: BSD-2-Clause
/*
 * Parses the report of a migration. Policy: every number must be there and not be negative.
 */
#include "handover.h"

#include <errno.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

static bool take_integer(const json_t *object, const char *key, int64_t *value)
{
	const json_t *member = json_object_get(object, key);

	*value = json_integer_value(member);
	return json_is_integer(member) && *value >= 0 && *value < (1ll << 61);
}

static bool take_number(const json_t *object, const char *key, double *value)
{
	const json_t *member = json_object_get(object, key);

	*value = json_number_value(member);
	return json_is_number(member) && *value >= 0;
}

static const char *take_all(struct handover *handover, const json_t *object)
{
	const struct {
		const char *key;
		int64_t *value;
	} integers[] = {
		{ "from_hz", &handover->from_hz },
		{ "to_hz", &handover->to_hz },
		{ "rounds", &handover->rounds },
		{ "bytes", &handover->bytes },
		{ "stated_bound_ns", &handover->bound_ns },
	};

	for (size_t i = 0; i < sizeof(integers) / sizeof(integers[0]); i++)
		if (!take_integer(object, integers[i].key, integers[i].value))
			return integers[i].key;
	return take_number(object, "downtime_ms", &handover->downtime_ms) ? NULL : "downtime_ms";
}

int handover_parse(struct handover *handover, const char *text, char *error)
{
	json_error_t problem;
	json_t *object = json_loads(text, JSON_REJECT_DUPLICATES, &problem);
	const char *refused = json_string_value(json_object_get(object, "error"));
	const char *missing = refused ? NULL : take_all(handover, object);
	int err = -EINVAL;

	if (!object)
		snprintf(error, HANDOVER_ERROR_MAX, "not JSON: %s", problem.text);
	else if (refused)
		snprintf(error, HANDOVER_ERROR_MAX, "the migration failed: %s", refused);
	else if (missing)
		snprintf(error, HANDOVER_ERROR_MAX, "\"%s\" is missing or not a number from 0", missing);
	else
		err = 0;
	json_decref(object);
	return err;
}
