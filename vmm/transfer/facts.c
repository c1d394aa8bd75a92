/* SPDX-License-Identifier: BSD-2-Clause */
/* A host's facts as JSON: see the header. */
#include "transfer/facts.h"

#include "base/file.h"
#include "base/json.h"
#include "base/text.h"
#include "machine/processor.h"
#include "transfer/errata.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <seaclock/core.h>

/* The numbers of 32 bits, and what they may be. */
static const struct number {
	const char *name;
	size_t offset;
	uint32_t low, high;
} numbers[] = {
	{ "protocol", offsetof(struct host_facts, protocol), 0, UINT32_MAX },
	{ "protocol_oldest", offsetof(struct host_facts, protocol_oldest), 0, UINT32_MAX },
	{ "counter_hz", offsetof(struct host_facts, counter_hz), SC_RATE_MIN_HZ, SC_RATE_MAX_HZ },
	{ "page_size", offsetof(struct host_facts, page_size), 4096, 65536 },
	{ "address_bits", offsetof(struct host_facts, address_bits), 32, 56 },
	{ "gic", offsetof(struct host_facts, gic), 1, 16 },
	{ "gic_iidr", offsetof(struct host_facts, gic_iidr), 0, UINT32_MAX },
};

static const struct text {
	const char *name;
	size_t offset;
} texts[] = {
	{ "name", offsetof(struct host_facts, name) },
	{ "kernel", offsetof(struct host_facts, kernel) },
	{ "seaclock", offsetof(struct host_facts, seaclock) },
};

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

/* ---- To JSON ---- */

static json_t *registers_json(const struct identity *identity)
{
	json_t *object = json_object();
	char name[IDENTITY_NAME_SIZE];

	for (uint32_t n = 0; n < identity->count; n++)
		json_object_set_new(object, identity_name(identity->reg[n].id, name),
				    json_pack("{s:o, s:o}", "value", processor_value_json(identity->reg[n].value),
					      "writable", processor_value_json(identity->reg[n].writable)));
	return object;
}

static json_t *capabilities_json(const struct host_facts *facts)
{
	json_t *object = json_object();

	for (uint32_t n = 0; n < FACTS_CAPABILITIES; n++)
		json_object_set_new(object, facts_capability_name(n), json_integer(facts->capability[n]));
	return object;
}

static json_t *errata_json(uint64_t midr)
{
	json_t *array = json_array();
	const struct erratum *erratum;

	for (uint32_t n = 0; (erratum = errata_at(midr, n)); n++)
		json_array_append_new(array,
				      json_pack("{s:s, s:s}", "erratum", erratum->name, "effect", erratum->effect));
	return array;
}

static uint64_t value_of(const struct host_facts *facts, uint64_t id)
{
	const struct identity_register *reg = identity_find(&facts->identity, id);

	return reg ? reg->value : 0;
}

/* What follows from the rest, for people and their scripts; it is not read again. */
static void derived_put(json_t *object, const struct host_facts *facts)
{
	uint64_t midr = value_of(facts, IDENTITY_MIDR), psci = value_of(facts, IDENTITY_PSCI);
	char version[16];

	snprintf(version, sizeof(version), "%u.%u", (unsigned int)(psci >> 16 & 0x7fff), (unsigned int)psci & 0xffff);
	json_object_set_new(object, "kvm", json_true());
	json_object_set_new(object, "reference_page", json_boolean(facts->counter_hz > SC_REF_HZ));
	json_object_set_new(object, "midr", processor_value_json(midr));
	json_object_set_new(object, "psci", json_string(version));
	json_object_set_new(object, "hafdbs", json_integer((json_int_t)(value_of(facts, IDENTITY_MMFR1) & 15)));
	json_object_set_new(object, "errata", errata_json(midr));
}

json_t *facts_json(const struct host_facts *facts)
{
	json_t *object;

	json_watch();
	object = json_object();
	for (size_t n = 0; n < COUNT(texts); n++)
		json_object_set_new(object, texts[n].name, json_string((const char *)facts + texts[n].offset));
	for (size_t n = 0; n < COUNT(numbers); n++)
		json_object_set_new(object, numbers[n].name,
				    json_integer(*(const uint32_t *)((const char *)facts + numbers[n].offset)));
	derived_put(object, facts);
	json_object_set_new(object, "capabilities", capabilities_json(facts));
	json_object_set_new(object, "registers", registers_json(&facts->identity));
	if (json_is_whole())
		return object;
	json_decref(object);
	return NULL;
}

/* ---- From JSON ---- */

static int number_get(const json_t *value, const struct number *number, uint32_t *to, struct error *error)
{
	json_int_t integer = json_integer_value(value);

	*to = (uint32_t)integer;
	if (json_is_integer(value) && integer >= number->low && integer <= number->high)
		return 0;
	return error_set(error, EINVAL, "%s is a number from %" PRIu32 " to %" PRIu32, number->name, number->low,
			 number->high);
}

static int text_get(const json_t *value, const char *name, char *to, struct error *error)
{
	const char *text = json_string_value(value);

	if (!text || strlen(text) >= FACTS_NAME_SIZE || !text_is_plain(text))
		return error_set(error, EINVAL, "%s is a text of at most %u bytes without control characters", name,
				 FACTS_NAME_SIZE - 1);
	memcpy(to, text, strlen(text) + 1);
	return 0;
}

static int registers_get(const json_t *object, struct identity *identity, struct error *error)
{
	const char *name;
	json_t *value;

	if (!json_object_size(object))
		return error_set(error, EINVAL, "registers is an object with a member for each register");
	json_object_foreach((json_t *)object, name, value)
	{
		struct identity_register reg;
		int result;

		if (!processor_value_get(json_object_get(value, "value"), &reg.value) ||
		    !processor_value_get(json_object_get(value, "writable"), &reg.writable))
			return error_set(error, EINVAL,
					 "registers.%.60s has value and writable, each a text such as \"0x1100\"",
					 name);
		result = processor_add(identity, "registers.", name, reg, error);
		if (result)
			return result;
	}
	return 0;
}

static int capabilities_get(const json_t *object, struct host_facts *facts, struct error *error)
{
	int result = 0;

	if (!json_is_object(object))
		return error_set(error, EINVAL, "capabilities is an object");
	for (uint32_t n = 0; n < FACTS_CAPABILITIES && !result; n++) {
		const struct number number = { facts_capability_name(n), 0, 0, UINT32_MAX };
		const json_t *value = json_object_get(object, number.name);

		if (value)
			result = number_get(value, &number, &facts->capability[n], error);
	}
	return result;
}

static int facts_get(const json_t *object, struct host_facts *facts, struct error *error)
{
	int result = 0;

	*facts = (struct host_facts){ .name = "" };
	if (!json_is_object(object))
		return error_set(error, EINVAL, "a host's facts are a JSON object");
	for (size_t n = 0; n < COUNT(texts) && !result; n++)
		result = text_get(json_object_get(object, texts[n].name), texts[n].name,
				  (char *)facts + texts[n].offset, error);
	for (size_t n = 0; n < COUNT(numbers) && !result; n++)
		result = number_get(json_object_get(object, numbers[n].name), &numbers[n],
				    (uint32_t *)((char *)facts + numbers[n].offset), error);
	if (!result)
		result = capabilities_get(json_object_get(object, "capabilities"), facts, error);
	return result ? result : registers_get(json_object_get(object, "registers"), &facts->identity, error);
}

int facts_parse(const char *text, size_t size, struct host_facts *facts, struct error *error)
{
	json_t *object;
	int result;

	if (size > FACTS_SIZE_MAX)
		return error_set(error, EINVAL, "it has %zu bytes, and a host's facts at most %u", size,
				 FACTS_SIZE_MAX);
	result = json_parse(text, size, "facts", &object, error);
	if (result)
		return result;
	result = facts_get(object, facts, error);
	json_decref(object);
	return result;
}

int facts_read(const char *path, struct host_facts *facts, struct error *error)
{
	struct error reason;
	void *text;
	size_t size;
	int result = file_read(path, &text, &size, error);

	if (result)
		return result;
	result = facts_parse(text, size, facts, &reason);
	free(text);
	return result ? error_set(error, result == -ENOMEM ? ENOMEM : EBADMSG,
				  "%s is no output of `seaclock host --json`: %s", path, reason.text)
		      : 0;
}

int facts_read_all(char *const *paths, struct host_facts **hosts, uint32_t *count, struct error *error)
{
	int result = 0;

	for (*count = 0; paths[*count]; ++*count)
		;
	*hosts = calloc(*count ? *count : 1, sizeof(**hosts));
	if (!*hosts)
		return error_set(error, ENOMEM, "no memory for the facts of %" PRIu32 " hosts", *count);
	for (uint32_t n = 0; n < *count && !result; n++)
		result = facts_read(paths[n], &(*hosts)[n], error);
	if (result) {
		free(*hosts);
		*hosts = NULL;
	}
	return result;
}
