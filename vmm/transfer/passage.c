/* SPDX-License-Identifier: BSD-2-Clause */
/* Whether a machine can move from one host to another: see the header. */
#include "transfer/passage.h"

#include "host/host.h"
#include "transfer/admission.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

__attribute__((format(printf, 2, 3))) static bool refuse(struct passage *passage, const char *format, ...)
{
	va_list list;

	va_start(list, format);
	vsnprintf(passage->reason, sizeof(passage->reason), format, list);
	va_end(list);
	return false;
}

static bool judge_protocol(const struct host_facts *from, const struct host_facts *to, struct passage *passage)
{
	if (from->protocol >= to->protocol_oldest && from->protocol <= to->protocol)
		return true;
	return refuse(passage, "it sends protocol %" PRIu32 ", and %" PRIu32 " to %" PRIu32 " are taken there",
		      from->protocol, to->protocol_oldest, to->protocol);
}

static bool judge_host(const struct host_facts *from, const struct host_facts *to, struct passage *passage)
{
	if (from->page_size != to->page_size)
		return refuse(passage, "its kernel has pages of %" PRIu32 " bytes, and the one there of %" PRIu32,
			      from->page_size, to->page_size);
	if (to->address_bits < HOST_ADDRESS_BITS)
		return refuse(passage, "guests have physical addresses of %u bits, and KVM there gives %" PRIu32,
			      HOST_ADDRESS_BITS, to->address_bits);
	if (from->gic != to->gic)
		return refuse(passage, "guests have a GICv%" PRIu32 ", and there a GICv%" PRIu32, from->gic, to->gic);
	return true;
}

static bool judge_register(const struct identity_register *own, const struct host_facts *to, struct passage *passage)
{
	const struct identity_register *there = identity_find(&to->identity, own->id);
	struct identity_field field;
	enum identity_verdict verdict;
	char name[IDENTITY_NAME_SIZE], field_name[IDENTITY_NAME_SIZE];

	identity_name(own->id, name);
	if (!there)
		return refuse(passage, "KVM there has no register %s", name);
	verdict = identity_judge(own->value, own, there, &field);
	if (verdict == IDENTITY_FITS)
		return true;
	return refuse(passage, "%s: %s is 0x%" PRIx64 ", and 0x%" PRIx64 " there%s", name,
		      identity_field_name(&field, field_name), identity_field_get(&field, own->value),
		      identity_field_get(&field, there->value),
		      verdict == IDENTITY_LEVEL ? "; a baseline of both would fit" : "");
}

static bool judge_registers(const struct host_facts *from, const struct host_facts *to, struct passage *passage)
{
	for (uint32_t n = 0; n < from->identity.count; n++)
		if (!judge_register(&from->identity.reg[n], to, passage))
			return false;
	return true;
}

/* A guest that declares how it follows goes to any rate. */
static enum sc_level level_needed(uint32_t from_hz, uint32_t to_hz)
{
	const struct sc_follow none = { .level = SC_LEVEL_NONE, .obstacle = SC_OBSTACLE_OTHER };
	const struct admission_terms terms = { .force = false };

	return admission_judge(&none, from_hz, to_hz, &terms) == ADMISSION_MAY ? SC_LEVEL_NONE : SC_LEVEL_REFERENCE;
}

struct passage passage_judge(const struct host_facts *from, const struct host_facts *to)
{
	struct passage passage = { .level = level_needed(from->counter_hz, to->counter_hz) };

	passage.possible = judge_protocol(from, to, &passage) && judge_host(from, to, &passage) &&
			   judge_registers(from, to, &passage);
	return passage;
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
