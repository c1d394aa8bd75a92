/* SPDX-License-Identifier: BSD-2-Clause */
/* Requests on the control socket: see the header. */
#include "control/request.h"

#include "base/json.h"
#include "machine/config.h"
#include "migrate/key_files.h"

#include <errno.h>
#include <string.h>

#define TEXT(key)                                                                                                      \
	{                                                                                                              \
		.name = (key), .kind = REQUEST_TEXT                                                                    \
	}
#define FLAG(key)                                                                                                      \
	{                                                                                                              \
		.name = (key), .kind = REQUEST_FLAG                                                                    \
	}
#define NUMBER(key, least, most)                                                                                       \
	{                                                                                                              \
		.name = (key), .kind = REQUEST_NUMBER, .low = (least), .high = (most)                                  \
	}

static const struct request_command command_table[] = {
	{ .name = "status" },
	{ .name = "pause", .field = { TEXT("clock") } },
	{ .name = "resume", .field = { TEXT("clock"), FLAG("force") } },
	{ .name = "console", .field = { FLAG("virtio") } },
	{ .name = "grow", .field = { NUMBER("disk", 0, CONFIG_DISKS_MAX - 1) } },
	{ .name = "kernel" },
	{ .name = "shutdown" },
	{ .name = "stop", .field = { FLAG("now") } },
	{ .name = "save", .descriptors = 1, .field = { TEXT("file"), TEXT("clock"), FLAG("repair"), FLAG("force") } },
	{ .name = "migrate",
	  .descriptors = KEY_FILES,
	  .field = { TEXT("host"), TEXT("tls"), FLAG("plain"), TEXT("clock"), FLAG("inferred"), FLAG("repair"),
		     FLAG("force"), FLAG("dry_run"), FLAG("cancel"), NUMBER("downtime_ms", 1, REQUEST_DOWNTIME_MAX_MS),
		     NUMBER("bandwidth_mib", 1, REQUEST_BANDWIDTH_MAX_MIB),
		     NUMBER("max_step_us", 1, REQUEST_MAX_STEP_MAX_US) } },
};

#define COMMANDS (sizeof(command_table) / sizeof(command_table[0]))

const struct request_command *request_command_at(size_t n)
{
	return n < COMMANDS ? &command_table[n] : NULL;
}

json_t *request_make(const char *command)
{
	return json_pack("{s:i, s:s}", "version", CONTROL_VERSION, "command", command);
}

/* For want of memory nothing is left: without this field it would ask for something else. False for a value of NULL. */
static bool request_set(json_t *request, const char *key, json_t *value)
{
	bool set = !json_object_set_new(request, key, value);

	if (!json_is_whole())
		json_object_clear(request);
	return set || !json_is_whole();
}

bool request_set_text(json_t *request, const char *key, const char *text)
{
	json_watch();
	return !text || request_set(request, key, json_string(text));
}

void request_set_flag(json_t *request, const char *key, bool flag)
{
	json_watch();
	if (flag)
		request_set(request, key, json_true());
}

void request_set_number(json_t *request, const char *key, uint32_t number)
{
	json_watch();
	if (number)
		request_set(request, key, json_integer(number));
}

/* ---- Checks ---- */

static int request_check_version(const json_t *request, struct error *error)
{
	const json_t *version = json_object_get(request, "version");

	if (!json_is_integer(version))
		return error_set(error, EPROTONOSUPPORT,
				 "the request names no version of the control protocol; this monitor takes version %d",
				 CONTROL_VERSION);
	if (json_integer_value(version) != CONTROL_VERSION)
		return error_set(
			error, EPROTONOSUPPORT,
			"the request is of version %lld of the control protocol; this monitor takes version %d",
			(long long)json_integer_value(version), CONTROL_VERSION);
	return 0;
}

static const struct request_command *command_find(const json_t *request, struct error *error)
{
	const json_t *command = json_object_get(request, "command");

	if (!json_is_string(command)) {
		error_record(error, EINVAL, "a request has a \"command\", which takes a text");
		return NULL;
	}
	for (size_t n = 0; n < COMMANDS; n++)
		if (!strcmp(command_table[n].name, json_string_value(command)))
			return &command_table[n];
	error_record(error, EINVAL, "the monitor does not know the command `%.100s`", json_string_value(command));
	return NULL;
}

static const struct request_field *field_find(const struct request_command *command, const char *key)
{
	const struct request_field *field = command->field;

	while (field->name && strcmp(field->name, key) != 0)
		field++;
	return field->name ? field : NULL;
}

static int field_check(const struct request_field *field, const json_t *value, struct error *error)
{
	json_int_t number = json_integer_value(value);

	if (field->kind == REQUEST_TEXT && !json_is_string(value))
		return error_set(error, EINVAL, "\"%s\" takes a text", field->name);
	if (field->kind == REQUEST_FLAG && !json_is_boolean(value))
		return error_set(error, EINVAL, "\"%s\" takes true or false", field->name);
	if (field->kind == REQUEST_NUMBER && (!json_is_integer(value) || number < field->low || number > field->high))
		return error_set(error, EINVAL, "\"%s\" takes a number from %u to %u", field->name, field->low,
				 field->high);
	return 0;
}

static int descriptors_check(const struct request_command *command, uint32_t descriptors, struct error *error)
{
	if (descriptors <= command->descriptors)
		return 0;
	return error_set(error, EINVAL, "%u descriptors came with %s, which takes at most %u", descriptors,
			 command->name, command->descriptors);
}

int request_check(const json_t *request, uint32_t descriptors, struct error *error)
{
	const struct request_command *command;
	const char *key;
	json_t *value;
	int result;

	if (!json_is_object(request))
		return error_set(error, EINVAL, "a request is a JSON object");
	result = request_check_version(request, error);
	if (result)
		return result;
	command = command_find(request, error);
	if (!command)
		return -EINVAL;
	result = descriptors_check(command, descriptors, error);
	if (result)
		return result;
	json_object_foreach((json_t *)request, key, value)
	{
		const struct request_field *field = field_find(command, key);

		if (!strcmp(key, "version") || !strcmp(key, "command"))
			continue;
		if (!field)
			return error_set(error, EINVAL, "%s takes no \"%.100s\"", command->name, key);
		result = field_check(field, value, error);
		if (result)
			return result;
	}
	return 0;
}

/* ---- Fields ---- */

const char *request_text(const json_t *request, const char *key)
{
	return json_string_value(json_object_get(request, key));
}

bool request_flag(const json_t *request, const char *key)
{
	return json_is_true(json_object_get(request, key));
}

uint32_t request_number(const json_t *request, const char *key, uint32_t unsaid)
{
	const json_t *value = json_object_get(request, key);

	return value ? (uint32_t)json_integer_value(value) : unsaid;
}

int request_policy(const json_t *request, enum sc_clock_policy unsaid, enum sc_clock_policy *policy,
		   struct error *error)
{
	const char *name = request_text(request, "clock");

	*policy = unsaid;
	if (!name || clock_policy_parse(name, policy))
		return 0;
	return error_set(error, EINVAL, "`%.100s` is no policy of the clock: it can advance or freeze", name);
}
