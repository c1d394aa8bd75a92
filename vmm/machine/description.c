/* SPDX-License-Identifier: BSD-2-Clause */
/* A machine's description as JSON: see the header. */
#include "machine/description.h"

#include "base/file.h"
#include "base/json.h"
#include "machine/processor.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MIB_SHIFT 20
#define PREFIX_SIZE 24 /* "disks[N]." */

enum kind {
	KIND_NUMBER, /* uint32_t, or an enum */
	KIND_MIB,    /* uint64_t in bytes, in JSON in MiB */
	KIND_FLAG,   /* bool */
	KIND_ACTION, /* enum config_action, in JSON a word */
	KIND_TEXT,   /* an array of char */
	KIND_MAC,    /* 6 bytes, in JSON a text */
	KIND_CPU,    /* struct identity, in JSON an object with a member for each register */
	KIND_LIST,   /* an array of struct, in JSON a list of objects */
};

struct list;

struct field {
	const char *name;
	enum kind kind;
	size_t offset; /* in its struct */
	size_t size;   /* of a text, with its end */
	const struct list *list;
};

/* Structs of one kind, and how many of them there are. */
struct list {
	const struct field *fields;
	size_t stride;
	size_t count; /* its offset, a uint32_t */
	uint32_t max;
	void (*begin)(void *item); /* what one has that says nothing */
};

#define FIELD(field_name, field_kind, type, member)                                                                    \
	{                                                                                                              \
		.name = (field_name), .kind = (field_kind), .offset = offsetof(type, member),                          \
		.size = sizeof(((type *)0)->member)                                                                    \
	}

#define LIST(field_name, kind_of_list, type, member)                                                                   \
	{                                                                                                              \
		.name = (field_name), .kind = KIND_LIST, .offset = offsetof(type, member), .list = &(kind_of_list)     \
	}

static const struct field disk_fields[] = {
	FIELD("where", KIND_TEXT, struct config_disk, where),
	FIELD("readonly", KIND_FLAG, struct config_disk, readonly),
	FIELD("serial", KIND_TEXT, struct config_disk, serial),
	FIELD("reconnect_s", KIND_NUMBER, struct config_disk, reconnect_s),
	{ .name = NULL },
};

static void disk_begin(void *item)
{
	*(struct config_disk *)item = config_disk_default();
}

static const struct list disk_list = { disk_fields, sizeof(struct config_disk), offsetof(struct machine_config, disks),
				       CONFIG_DISKS_MAX, disk_begin };

static const struct field net_fields[] = {
	FIELD("where", KIND_TEXT, struct config_net, where),
	FIELD("mac", KIND_MAC, struct config_net, mac),
	{ .name = NULL },
};

static void net_begin(void *item)
{
	*(struct config_net *)item = (struct config_net){ .mtu = 0 };
}

static const struct list net_list = { net_fields, sizeof(struct config_net), offsetof(struct machine_config, nets),
				      CONFIG_NETS_MAX, net_begin };

static const struct field machine_fields[] = {
	FIELD("model", KIND_NUMBER, struct machine_config, model),
	FIELD("cpu", KIND_CPU, struct machine_config, cpu),
	FIELD("vcpus", KIND_NUMBER, struct machine_config, vcpus),
	FIELD("memory_mib", KIND_MIB, struct machine_config, memory_size),
	FIELD("kernel", KIND_TEXT, struct machine_config, kernel),
	FIELD("initrd", KIND_TEXT, struct machine_config, initrd),
	FIELD("command_line", KIND_TEXT, struct machine_config, command_line),
	FIELD("firmware", KIND_TEXT, struct machine_config, firmware),
	FIELD("variables", KIND_TEXT, struct machine_config, variables),
	FIELD("on_reboot", KIND_ACTION, struct machine_config, on_reboot),
	FIELD("on_panic", KIND_ACTION, struct machine_config, on_panic),
	FIELD("repair", KIND_FLAG, struct machine_config, repair),
	LIST("disks", disk_list, struct machine_config, disk),
	LIST("nets", net_list, struct machine_config, net),
	{ .name = NULL },
};

_Static_assert(sizeof(enum config_model) == sizeof(uint32_t), "a model is read as a number");

static const char *name_at(const struct field *fields, size_t count, size_t n)
{
	return n < count ? fields[n].name : NULL;
}

const char *description_field_at(size_t n)
{
	return name_at(machine_fields, sizeof(machine_fields) / sizeof(machine_fields[0]), n);
}

const char *description_disk_field_at(size_t n)
{
	return name_at(disk_fields, sizeof(disk_fields) / sizeof(disk_fields[0]), n);
}

const char *description_net_field_at(size_t n)
{
	return name_at(net_fields, sizeof(net_fields) / sizeof(net_fields[0]), n);
}

/* ---- To JSON ---- */

static json_t *fields_json(const struct field *fields, const void *record);

static json_t *list_json(const struct list *list, const char *item, uint32_t count)
{
	json_t *array = json_array();

	for (uint32_t n = 0; n < count; n++)
		json_array_append_new(array, fields_json(list->fields, item + n * list->stride));
	return array;
}

/* How many structs of this list the record has. */
static uint32_t *list_count(const struct list *list, const void *record)
{
	return (uint32_t *)((char *)record + list->count);
}

/* NULL if it is not known. */
static json_t *mac_json(const uint8_t *mac)
{
	char text[MAC_TEXT_SIZE];

	mac_text(mac, text);
	return mac_is_said(mac) ? json_string(text) : NULL;
}

/* NULL for a text or a processor that is empty, or an address that is not known. */
static json_t *field_json(const struct field *field, const void *record)
{
	const void *place = (const char *)record + field->offset;

	switch (field->kind) {
	case KIND_NUMBER:
		return json_integer(*(const uint32_t *)place);
	case KIND_MIB:
		return json_integer((json_int_t)(*(const uint64_t *)place >> MIB_SHIFT));
	case KIND_FLAG:
		return json_boolean(*(const bool *)place);
	case KIND_ACTION:
		return json_string(config_action_name(*(const enum config_action *)place));
	case KIND_TEXT:
		return *(const char *)place ? json_string(place) : NULL;
	case KIND_MAC:
		return mac_json(place);
	case KIND_CPU:
		return ((const struct identity *)place)->count ? processor_json(place) : NULL;
	case KIND_LIST:
		return list_json(field->list, place, *list_count(field->list, record));
	}
	return NULL;
}

static json_t *fields_json(const struct field *fields, const void *record)
{
	json_t *object = json_object();

	for (const struct field *field = fields; field->name; field++) {
		json_t *value = field_json(field, record);

		if (value)
			json_object_set_new(object, field->name, value);
	}
	return object;
}

json_t *description_json(const struct machine_config *config)
{
	return fields_json(machine_fields, config);
}

/* ---- From JSON ---- */

static int fields_get(const struct field *fields, const char *prefix, const json_t *object, void *record,
		      struct error *error);

/* It takes something else. */
static int refuse(const struct field *field, const char *prefix, const char *takes, struct error *error)
{
	return error_set(error, EINVAL, "%s%s takes %s", prefix, field->name, takes);
}

static bool number_get(const json_t *value, uint32_t *number)
{
	json_int_t integer = json_integer_value(value);

	*number = (uint32_t)integer;
	return json_is_integer(value) && integer >= 0 && integer <= UINT32_MAX;
}

static int text_get(const struct field *field, const char *prefix, const json_t *value, char *text, struct error *error)
{
	size_t length = json_string_length(value);

	if (!json_is_string(value))
		return refuse(field, prefix, "a text", error);
	if (length >= field->size)
		return error_set(error, EINVAL, "%s%s takes at most %zu bytes, not %zu", prefix, field->name,
				 field->size - 1, length);
	memcpy(text, json_string_value(value), length + 1);
	return 0;
}

static int mac_get(const struct field *field, const char *prefix, const json_t *value, uint8_t *mac,
		   struct error *error)
{
	if (json_is_string(value) && mac_parse(json_string_value(value), mac) && mac_is_said(mac))
		return 0;
	return refuse(field, prefix, "an address such as \"02:00:00:00:00:01\"", error);
}

static int list_get(const struct field *field, const json_t *value, void *record, struct error *error)
{
	const struct list *list = field->list;
	char *items = (char *)record + field->offset;
	size_t count = json_array_size(value);
	int result = 0;

	if (!json_is_array(value))
		return refuse(field, "", "a list of objects", error);
	if (count > list->max)
		return error_set(error, EINVAL, "%s takes at most %" PRIu32 " %s, not %zu", field->name, list->max,
				 field->name, count);
	*list_count(list, record) = (uint32_t)count;
	for (size_t n = 0; n < count && !result; n++) {
		char prefix[PREFIX_SIZE];

		snprintf(prefix, sizeof(prefix), "%s[%u].", field->name, (unsigned int)n);
		list->begin(items + n * list->stride);
		if (!json_is_object(json_array_get(value, n)))
			return refuse(field, "", "a list of objects", error);
		result = fields_get(list->fields, prefix, json_array_get(value, n), items + n * list->stride, error);
	}
	return result;
}

static int field_get(const struct field *field, const char *prefix, const json_t *value, void *record,
		     struct error *error)
{
	void *place = (char *)record + field->offset;
	uint32_t number;

	switch (field->kind) {
	case KIND_NUMBER:
		return number_get(value, place) ? 0 : refuse(field, prefix, "a whole number below 2^32", error);
	case KIND_MIB:
		if (!number_get(value, &number))
			return refuse(field, prefix, "a whole number below 2^32", error);
		*(uint64_t *)place = (uint64_t)number << MIB_SHIFT;
		return 0;
	case KIND_FLAG:
		*(bool *)place = json_is_true(value);
		return json_is_boolean(value) ? 0 : refuse(field, prefix, "true or false", error);
	case KIND_ACTION:
		if (json_is_string(value) && config_action_parse(json_string_value(value), place))
			return 0;
		return refuse(field, prefix, "\"exit\" or \"reset\"", error);
	case KIND_TEXT:
		return text_get(field, prefix, value, place, error);
	case KIND_MAC:
		return mac_get(field, prefix, value, place, error);
	case KIND_CPU:
		if (json_is_object(value))
			return processor_get(value, "cpu.", place, error);
		return refuse(field, prefix, "an object with a member for each register", error);
	case KIND_LIST:
		return list_get(field, value, record, error);
	}
	return -EINVAL;
}

static const struct field *field_find(const struct field *fields, const char *name)
{
	const struct field *field = fields;

	while (field->name && strcmp(field->name, name) != 0)
		field++;
	return field->name ? field : NULL;
}

static int fields_get(const struct field *fields, const char *prefix, const json_t *object, void *record,
		      struct error *error)
{
	const char *name;
	json_t *value;

	json_object_foreach((json_t *)object, name, value)
	{
		const struct field *field = field_find(fields, name);
		int result;

		if (!field)
			return error_set(error, EINVAL, "%s%.100s is no field of a description: see seaclock.json(5)",
					 prefix, name);
		result = field_get(field, prefix, value, record, error);
		if (result)
			return result;
	}
	return 0;
}

int description_parse(const char *text, size_t size, struct machine_config *config, struct error *error)
{
	json_t *object;
	int result = json_parse(text, size, "a description", &object, error);

	if (result)
		return result;
	if (json_is_object(object))
		result = fields_get(machine_fields, "", object, config, error);
	else
		result = error_set(error, EINVAL, "a description is a JSON object");
	json_decref(object);
	return result ? result : config_check(config, error);
}

int description_read(const char *path, struct machine_config *config, struct error *error)
{
	struct error reason;
	void *text;
	size_t size;
	int result = file_read(path, &text, &size, error);

	if (result)
		return result;
	result = description_parse(text, size, config, &reason);
	free(text);
	return result ? error_set(error, -result, "%s: %s", path, reason.text) : 0;
}
