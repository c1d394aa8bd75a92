/* SPDX-License-Identifier: BSD-2-Clause */
/* The processor that a new machine is told it has: see the header. */
#include "machine/processor.h"

#include "host/host.h"
#include "machine/vcpu.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HEX_SIZE 19u /* "0x", 16 digits and the end */

/* ---- As JSON ---- */

json_t *processor_value_json(uint64_t value)
{
	char text[HEX_SIZE];

	snprintf(text, sizeof(text), "0x%" PRIx64, value);
	return json_string(text);
}

bool processor_value_get(const json_t *json, uint64_t *value)
{
	const char *text = json_string_value(json);
	size_t length = text ? strlen(text) : 0;

	if (length < 3 || length >= HEX_SIZE || text[0] != '0' || text[1] != 'x' ||
	    strspn(text + 2, "0123456789abcdefABCDEF") != length - 2)
		return false;
	*value = strtoull(text + 2, NULL, 16);
	return true;
}

json_t *processor_json(const struct identity *identity)
{
	json_t *object = json_object();
	char name[IDENTITY_NAME_SIZE];

	for (uint32_t n = 0; n < identity->count; n++)
		json_object_set_new(object, identity_name(identity->reg[n].id, name),
				    processor_value_json(identity->reg[n].value));
	return object;
}

int processor_add(struct identity *identity, const char *prefix, const char *name, struct identity_register reg,
		  struct error *error)
{
	if (!identity_parse(name, &reg.id))
		return error_set(error, EINVAL, "%s%.60s is no identification register that Seaclock knows", prefix,
				 name);
	if (identity_find(identity, reg.id) || !identity_set(identity, &reg))
		return error_set(error, EINVAL, "%s%.60s is there twice, or one of more than %u registers", prefix,
				 name, IDENTITY_MAX);
	return 0;
}

int processor_get(const json_t *object, const char *prefix, struct identity *identity, struct error *error)
{
	const char *name;
	json_t *value;
	int result = 0;

	identity->count = 0;
	json_object_foreach((json_t *)object, name, value)
	{
		struct identity_register reg = { .id = 0 };

		if (!processor_value_get(value, &reg.value))
			return error_set(error, EINVAL, "%s%.60s takes a text such as \"0x1100\"", prefix, name);
		result = processor_add(identity, prefix, name, reg, error);
		if (result)
			return result;
	}
	return 0;
}

/* ---- To a machine ---- */

static int refused(uint64_t id, uint64_t value, int result, struct error *error)
{
	char name[IDENTITY_NAME_SIZE];

	return error_set(error, -result, "this host's KVM does not let the machine have 0x%" PRIx64 " in %s (%s): %s",
			 value, identity_name(id, name), strerror(-result),
			 identity_is_implementation(id) && result == -EINVAL
				 ? "that of Linux 6.15 and newer does"
				 : "`seaclock baseline` says what hosts can offer");
}

int processor_tell(struct vcpu_set *vcpus, const struct identity *identity, struct error *error)
{
	for (uint32_t vcpu = 0; vcpu < vcpus->count; vcpu++)
		for (uint32_t n = 0; n < identity->count; n++) {
			const struct identity_register *reg = &identity->reg[n];
			int result = host_vcpu_set_identity(&vcpus->vcpu[vcpu].host, reg->id, reg->value);

			if (result)
				return refused(reg->id, reg->value, result, error);
		}
	return 0;
}

int processor_learn(const struct host_vm *vm, struct vcpu_set *vcpus, struct identity *untold, struct error *error)
{
	return host_vcpu_list_identity(vm, &vcpus->vcpu[0].host, untold, error);
}

/* All vCPUs have the same, and what cannot be written cannot differ. */
int processor_compare(struct vcpu_set *vcpus, const struct identity *untold, struct identity *cpu, struct error *error)
{
	const struct identity told = *cpu;
	char name[IDENTITY_NAME_SIZE];

	cpu->count = 0;
	for (uint32_t n = 0; n < untold->count; n++) {
		struct identity_register now = { .id = untold->reg[n].id, .value = untold->reg[n].value };
		bool kept = identity_is_implementation(now.id) && identity_find(&told, now.id);
		int result =
			untold->reg[n].writable ? host_vcpu_get_identity(&vcpus->vcpu[0].host, now.id, &now.value) : 0;

		if (result)
			return error_set(error, -result, "KVM does not give %s of a vCPU (%s)",
					 identity_name(now.id, name), strerror(-result));
		if (kept || now.value != untold->reg[n].value)
			identity_set(cpu, &now);
	}
	return 0;
}
