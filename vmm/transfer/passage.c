/* SPDX-License-Identifier: BSD-2-Clause */
/* Whether a machine can move from one host to another: see the header. */
#include "transfer/passage.h"

#include "host/host.h"
#include "transfer/admission.h"

#include <errno.h>
#include <inttypes.h>

static int judge_protocol(const struct host_facts *from, const struct host_facts *to, struct error *why)
{
	if (from->protocol >= to->protocol_oldest && from->protocol <= to->protocol)
		return 0;
	return error_set(why, ENOTSUP, "it sends protocol %" PRIu32 ", and %" PRIu32 " to %" PRIu32 " are taken there",
			 from->protocol, to->protocol_oldest, to->protocol);
}

static int judge_host(const struct host_facts *from, const struct host_facts *to, struct error *why)
{
	if (from->page_size != to->page_size)
		return error_set(why, ENOTSUP,
				 "its kernel has pages of %" PRIu32 " bytes, and the one there of %" PRIu32,
				 from->page_size, to->page_size);
	if (to->address_bits < HOST_ADDRESS_BITS)
		return error_set(why, ENOTSUP,
				 "guests have physical addresses of %u bits, and KVM there gives %" PRIu32,
				 HOST_ADDRESS_BITS, to->address_bits);
	if (from->gic != to->gic)
		return error_set(why, ENOTSUP, "guests have a GICv%" PRIu32 ", and there a GICv%" PRIu32, from->gic,
				 to->gic);
	return 0;
}

/* A register that only a machine which was told such, by a baseline, has otherwise than its host. */
static bool is_bound(const struct identity_register *there, uint64_t value, const struct identity *cpu)
{
	return identity_is_implementation(there->id) && value != there->value && !identity_has_implementation(cpu);
}

/* A register of the host, in a machine that was told `cpu`. */
static int judge_register(const struct identity_register *own, const struct identity *cpu, const struct host_facts *to,
			  struct error *why)
{
	const struct identity_register *told = identity_find(cpu, own->id);
	uint64_t value = told ? told->value : own->value;
	const struct identity_register *there = identity_find(&to->identity, own->id);
	struct identity_field field;
	enum identity_verdict verdict;
	char name[IDENTITY_NAME_SIZE], field_name[IDENTITY_NAME_SIZE];

	if (!there)
		return error_set(why, ENOTSUP, "KVM there has no register %s", identity_name(own->id, name));
	verdict = identity_judge(value, own, there, &field);
	if (verdict == IDENTITY_FITS && is_bound(there, value, cpu) && identity_field_at(own->id, 0, &field))
		verdict = IDENTITY_LEVEL;
	if (verdict == IDENTITY_FITS)
		return 0;
	return error_set(why, ENOTSUP, "%s: %s is 0x%" PRIx64 ", and 0x%" PRIx64 " there%s",
			 identity_name(own->id, name), identity_field_name(&field, field_name),
			 identity_field_get(&field, value), identity_field_get(&field, there->value),
			 verdict == IDENTITY_LEVEL ? "; a baseline of both would fit" : "");
}

static int judge_registers(const struct host_facts *from, const struct identity *cpu, const struct host_facts *to,
			   struct error *why)
{
	int result = 0;

	for (uint32_t n = 0; n < from->identity.count && !result; n++)
		result = judge_register(&from->identity.reg[n], cpu, to, why);
	return result;
}

/* In the words of who plans a move; the migration itself says what to do as well. */
static int judge_follow(const struct host_facts *from, const struct passage_machine *machine,
			const struct host_facts *to, struct error *why)
{
	const struct admission_terms terms = { .force = false };

	if (!machine->follow)
		return 0;
	switch (admission_judge(machine->follow, from->counter_hz, to->counter_hz, &terms)) {
	case ADMISSION_CANNOT:
		return error_set(why, EPERM, "its clock cannot follow another rate%s%s", *machine->obstacle ? ": " : "",
				 machine->obstacle);
	case ADMISSION_INFERRED:
		return error_set(why, EPERM, "that its clock can follow is only inferred, so --inferred is needed");
	case ADMISSION_NO_RETURN:
		return error_set(why, EPERM,
				 "that its clock can follow is only inferred, and on a counter of 10 MHz or less it "
				 "could not be, so it could not be moved from there");
	case ADMISSION_MAY:
		break;
	}
	return 0;
}

/* A guest that declares how it follows goes to any rate. */
static enum sc_level level_needed(uint32_t from_hz, uint32_t to_hz)
{
	const struct sc_follow none = { .level = SC_LEVEL_NONE, .obstacle = SC_OBSTACLE_OTHER };
	const struct admission_terms terms = { .force = false };

	return admission_judge(&none, from_hz, to_hz, &terms) == ADMISSION_MAY ? SC_LEVEL_NONE : SC_LEVEL_REFERENCE;
}

struct passage passage_judge_machine(const struct host_facts *from, const struct passage_machine *machine,
				     const struct host_facts *to)
{
	struct passage passage = { .level = level_needed(from->counter_hz, to->counter_hz) };

	passage.possible = !judge_protocol(from, to, &passage.why) && !judge_host(from, to, &passage.why) &&
			   !judge_registers(from, machine->cpu, to, &passage.why) &&
			   !judge_follow(from, machine, to, &passage.why);
	return passage;
}

struct passage passage_judge(const struct host_facts *from, const struct host_facts *to)
{
	static const struct identity none = { .count = 0 };
	const struct passage_machine machine = { .cpu = &none };

	return passage_judge_machine(from, &machine, to);
}

static bool identity_same(const struct identity *a, const struct identity *b)
{
	if (a->count != b->count)
		return false;
	for (uint32_t n = 0; n < a->count; n++)
		if (a->reg[n].id != b->reg[n].id || a->reg[n].value != b->reg[n].value ||
		    a->reg[n].writable != b->reg[n].writable)
			return false;
	return true;
}

bool passage_same(const struct host_facts *a, const struct host_facts *b)
{
	return a->protocol == b->protocol && a->protocol_oldest == b->protocol_oldest &&
	       a->counter_hz == b->counter_hz && a->page_size == b->page_size && a->address_bits == b->address_bits &&
	       a->gic == b->gic && identity_same(&a->identity, &b->identity);
}

uint32_t passage_group(const struct host_facts *hosts, uint32_t count, uint32_t *group)
{
	uint32_t groups = 0;

	for (uint32_t n = 0; n < count; n++) {
		uint32_t first = 0;

		while (first < n && !(group[first] == first && passage_same(&hosts[first], &hosts[n])))
			first++;
		group[n] = first;
		groups += first == n;
	}
	return groups;
}
