// SPDX-License-Identifier: BSD-2-Clause
/*
 * Parses the report of a migration. Policy: every number must be there, and what cannot be negative is not.
 */
#include "report.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>

const char *const report_part_names[REPORT_PARTS] = { "hold", "pages", "state", "transfer", "load", "resume" };

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
	return json_is_number(member);
}

static bool take_duration(const json_t *object, const char *key, double *value)
{
	return take_number(object, key, value) && *value >= 0;
}

static const char *take_parts(struct report *report, const json_t *parts)
{
	for (size_t i = 0; i < REPORT_PARTS; i++)
		if (!take_duration(parts, report_part_names[i], &report->parts_ms[i]))
			return report_part_names[i];
	return NULL;
}

/* Clocks that were compared for too short a time have no known rate, and the report has null. */
static const char *take_rate(struct report *report, const json_t *object)
{
	report->has_rate = !json_is_null(json_object_get(object, "rate_ppm"));
	if (!report->has_rate)
		return NULL;
	if (!take_number(object, "rate_ppm", &report->rate_ppm))
		return "rate_ppm";
	return take_duration(object, "rate_ppm_bound", &report->rate_ppm_bound) ? NULL : "rate_ppm_bound";
}

/* null if the guest was moved without a hold; absent if the monitor knows no holds. */
static bool take_hold(struct report *report, const json_t *object)
{
	const json_t *hold = json_object_get(object, "hold_us");
	const char *level = json_string_value(json_object_get(object, "level"));

	snprintf(report->level, sizeof(report->level), "%s", level ? level : "");
	report->has_hold = hold && !json_is_null(hold);
	report->hold_us = 0;
	return !report->has_hold || take_duration(object, "hold_us", &report->hold_us);
}

static bool take_intended_step(struct report *report, const json_t *object)
{
	const json_t *member = json_object_get(object, "intended_step_ns");

	report->intended_step_ns = json_integer_value(member);
	return json_is_integer(member) && report->intended_step_ns <= 0 && report->intended_step_ns > -(1ll << 61);
}

static const char *take_all(struct report *report, const json_t *object)
{
	const struct {
		const char *key;
		int64_t *value;
	} integers[] = {
		{ "from_hz", &report->from_hz },
		{ "to_hz", &report->to_hz },
		{ "rounds", &report->rounds },
		{ "bytes", &report->bytes },
		{ "stated_bound_ns", &report->bound_ns },
		{ "round_trip_ns", &report->round_trip_ns },
		{ "age_ns", &report->age_ns },
	};

	for (size_t i = 0; i < sizeof(integers) / sizeof(integers[0]); i++)
		if (!take_integer(object, integers[i].key, integers[i].value))
			return integers[i].key;
	if (!take_intended_step(report, object))
		return "intended_step_ns";
	if (!take_hold(report, object))
		return "hold_us";
	if (!take_duration(object, "downtime_ms", &report->downtime_ms))
		return "downtime_ms";
	const char *missing = take_rate(report, object);

	return missing ? missing : take_parts(report, json_object_get(object, "parts_ms"));
}

int report_parse(struct report *report, const char *text, char *error)
{
	json_error_t problem;
	json_t *object = json_loads(text, JSON_REJECT_DUPLICATES, &problem);
	const char *refused = json_string_value(json_object_get(object, "error"));
	const char *missing = refused ? NULL : take_all(report, object);
	int err = -EINVAL;

	if (!object)
		snprintf(error, REPORT_ERROR_MAX, "not JSON: %s", problem.text);
	else if (refused)
		snprintf(error, REPORT_ERROR_MAX, "the migration failed: %s", refused);
	else if (missing)
		snprintf(error, REPORT_ERROR_MAX, "\"%s\" is missing or out of range", missing);
	else
		err = 0;
	json_decref(object);
	return err;
}
