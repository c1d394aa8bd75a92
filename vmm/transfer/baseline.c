/* SPDX-License-Identifier: BSD-2-Clause */
/* The largest processor that all of some hosts can offer: see the header. */
#include "transfer/baseline.h"

struct fleet {
	const struct host_facts *hosts;
	uint32_t count;
	struct baseline_refusal *refusal;
	uint32_t refused;
};

/* NULL if the host is refused, or has none. */
static const struct identity_register *register_of(const struct fleet *fleet, uint32_t host, uint64_t id)
{
	return fleet->refusal[host].refused ? NULL : identity_find(&fleet->hosts[host].identity, id);
}

static void refuse(struct fleet *fleet, uint32_t host, const struct baseline_refusal *why)
{
	fleet->refusal[host] = *why;
	fleet->refusal[host].refused = true;
	fleet->refused++;
}

/* The next register that any host has, behind `id`; false after the last. */
static bool register_next(const struct fleet *fleet, uint64_t *id)
{
	uint64_t next = UINT64_MAX;

	for (uint32_t host = 0; host < fleet->count; host++) {
		const struct identity *identity = &fleet->hosts[host].identity;

		for (uint32_t n = 0; n < identity->count && identity->reg[n].id < next; n++)
			if (identity->reg[n].id > *id)
				next = identity->reg[n].id;
	}
	*id = next;
	return next != UINT64_MAX;
}

/* A guest has all registers of its host, so either all hosts have one, or none. */
static void judge_presence(struct fleet *fleet, uint64_t id)
{
	uint32_t present = 0, left = fleet->count - fleet->refused;
	bool most;

	for (uint32_t host = 0; host < fleet->count; host++)
		present += register_of(fleet, host, id) != NULL;
	most = 2 * present >= left;
	for (uint32_t host = 0; host < fleet->count && present != left; host++) {
		const struct baseline_refusal why = { .id = id, .missing = most, .more = !most };

		if (!fleet->refusal[host].refused && (register_of(fleet, host, id) != NULL) != most)
			refuse(fleet, host, &why);
	}
}

static struct identity_range meet_all(const struct fleet *fleet, uint64_t id, const struct identity_field *field)
{
	struct identity_range all = { .empty = true };
	bool first = true;

	for (uint32_t host = 0; host < fleet->count; host++) {
		const struct identity_register *reg = register_of(fleet, host, id);

		if (!reg)
			continue;
		all = first ? identity_range_of(field, reg)
			    : identity_range_meet(field, all, identity_range_of(field, reg));
		first = false;
	}
	return all;
}

static uint32_t support_of(const struct fleet *fleet, uint64_t id, const struct identity_field *field, uint64_t value)
{
	uint32_t support = 0;

	for (uint32_t host = 0; host < fleet->count; host++) {
		const struct identity_register *reg = register_of(fleet, host, id);

		support += reg && identity_range_has(field, identity_range_of(field, reg), value);
	}
	return support;
}

/* Of the values that some hosts cannot change, the one that most can offer. */
static uint64_t choose(const struct fleet *fleet, uint64_t id, const struct identity_field *field)
{
	uint64_t best = 0;
	uint32_t most = 0;

	for (uint32_t host = 0; host < fleet->count; host++) {
		const struct identity_register *reg = register_of(fleet, host, id);
		struct identity_range range;
		uint32_t support;

		if (!reg)
			continue;
		range = identity_range_of(field, reg);
		if (!range.fixed || (most && range.value == best))
			continue;
		support = support_of(fleet, id, field, range.value);
		if (support > most || (support == most && range.value < best)) {
			best = range.value;
			most = support;
		}
	}
	return best;
}

static void judge_field(struct fleet *fleet, uint64_t id, const struct identity_field *field)
{
	struct identity_range all = meet_all(fleet, id, field);
	uint64_t value;

	if (!all.empty)
		return;
	value = choose(fleet, id, field);
	for (uint32_t host = 0; host < fleet->count; host++) {
		const struct identity_register *reg = register_of(fleet, host, id);
		struct baseline_refusal why = { .id = id, .field = *field, .needs = value };

		if (!reg || identity_range_has(field, identity_range_of(field, reg), value))
			continue;
		why.has = identity_field_get(field, reg->value);
		refuse(fleet, host, &why);
	}
}

static void judge_register(struct fleet *fleet, uint64_t id)
{
	struct identity_field field;

	judge_presence(fleet, id);
	for (uint32_t n = 0; identity_field_at(id, n, &field); n++)
		judge_field(fleet, id, &field);
}

static void level_register(const struct fleet *fleet, uint64_t id, struct identity *level)
{
	struct identity_register common = { .id = id };
	struct identity_field field;
	bool differs = false;

	for (uint32_t n = 0; identity_field_at(id, n, &field); n++)
		common.value |= meet_all(fleet, id, &field).value << field.shift;
	for (uint32_t host = 0; host < fleet->count; host++) {
		const struct identity_register *reg = register_of(fleet, host, id);

		differs |= reg && reg->value != common.value;
	}
	if (differs)
		identity_set(level, &common);
}

uint32_t baseline_compute(const struct host_facts *hosts, uint32_t count, struct baseline_refusal *refusal,
			  struct identity *level)
{
	struct fleet fleet = { .hosts = hosts, .count = count, .refusal = refusal };
	uint64_t id = 0;

	level->count = 0;
	for (uint32_t host = 0; host < count; host++)
		refusal[host] = (struct baseline_refusal){ .refused = false };
	while (register_next(&fleet, &id))
		judge_register(&fleet, id);
	for (id = 0; register_next(&fleet, &id);)
		level_register(&fleet, id, level);
	return fleet.refused;
}
