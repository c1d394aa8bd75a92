/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Property: a baseline of any hosts is what each of them can offer, the largest such, the same in any order of the
 * hosts and for each host given twice; and who is refused cannot offer it.
 */
#include "transfer/baseline.h"

#include "random.h"

#include <string.h>

#define CASES 3000
#define HOSTS 6

static const uint64_t ids[] = {
	IDENTITY_MIDR,	   IDENTITY_SYSTEM(3, 0, 0, 4, 0), IDENTITY_SYSTEM(3, 0, 0, 6, 1), IDENTITY_CTR, IDENTITY_MMFR1,
	IDENTITY_BITMAP(2)
};

#define IDS (sizeof(ids) / sizeof(ids[0]))

/* Few values, so that hosts often agree. */
static struct host_facts random_host(struct random *random)
{
	struct host_facts host = { .name = "" };

	for (size_t n = 0; n < IDS; n++) {
		struct identity_register reg = { .id = ids[n] };
		uint64_t dense = random_next(random);

		reg.value = dense & random_next(random) & 0x3003003003003003;
		reg.writable = random_chance(random, 4) ? random_next(random) : UINT64_MAX;
		if (!random_chance(random, 30))
			identity_set(&host.identity, &reg);
	}
	return host;
}

/* What a machine that is made by the baseline has of a register there. */
static uint64_t value_there(const struct identity *level, const struct identity_register *own)
{
	const struct identity_register *reg = identity_find(level, own->id);

	return reg ? reg->value : own->value;
}

static bool can_offer(const struct host_facts *host, const struct identity_field *field, uint64_t id, uint64_t value)
{
	const struct identity_register *own = identity_find(&host->identity, id);

	return own && identity_range_has(field, identity_range_of(field, own), value);
}

static void check_host(const struct host_facts *host, const struct identity *level)
{
	for (uint32_t n = 0; n < host->identity.count; n++) {
		const struct identity_register *own = &host->identity.reg[n];
		struct identity_field field;

		for (uint32_t f = 0; identity_field_at(own->id, f, &field); f++)
			PROPERTY(can_offer(host, &field, own->id, identity_field_get(&field, value_there(level, own))),
				 "register 0x%" PRIx64 ", bit %" PRIu32, own->id, field.shift);
	}
}

/* No other value of a field of at most 4 bits is more, and can be offered by all that are left. */
static void check_largest(const struct host_facts *hosts, const struct baseline_refusal *refusal, uint64_t id,
			  const struct identity_field *field, uint64_t got)
{
	const struct identity_register above = { .id = id, .writable = UINT64_MAX };

	for (uint64_t value = 0; field->width <= 4 && value < 1ull << field->width; value++) {
		struct identity_register other = above;
		bool all = true;

		other.value = value << field->shift;
		for (uint32_t n = 0; n < HOSTS; n++)
			all = all && (refusal[n].refused || can_offer(&hosts[n], field, id, value));
		PROPERTY(!all || value == got || !identity_range_has(field, identity_range_of(field, &other), got),
			 "register 0x%" PRIx64 ", bit %" PRIu32 ": all can offer %" PRIu64
			 ", which is more than %" PRIu64,
			 id, field->shift, value, got);
	}
}

static void check_all_largest(const struct host_facts *hosts, const struct baseline_refusal *refusal,
			      const struct identity *level)
{
	uint32_t n = 0;

	while (n < HOSTS && refusal[n].refused)
		n++;
	PROPERTY(n < HOSTS, "all are refused");
	for (uint32_t r = 0; r < hosts[n].identity.count; r++) {
		const struct identity_register *own = &hosts[n].identity.reg[r];
		struct identity_field field;

		for (uint32_t f = 0; identity_field_at(own->id, f, &field); f++)
			check_largest(hosts, refusal, own->id, &field,
				      identity_field_get(&field, value_there(level, own)));
	}
}

static void check_same(const struct host_facts *hosts, uint32_t count, uint32_t refused, const struct identity *level)
{
	struct baseline_refusal refusal[2 * HOSTS];
	struct identity other = { .count = 0 };
	uint32_t other_refused = baseline_compute(hosts, count, refusal, &other);

	PROPERTY(other_refused * HOSTS == refused * count, "%" PRIu32 " and %" PRIu32 " are refused", refused,
		 other_refused);
	PROPERTY(other.count == level->count && !memcmp(other.reg, level->reg, level->count * sizeof(level->reg[0])),
		 "another order has another baseline");
}

static void check_case(struct random *random)
{
	struct host_facts hosts[2 * HOSTS], swapped[HOSTS];
	struct baseline_refusal refusal[HOSTS];
	struct identity level;
	uint32_t refused, from = (uint32_t)random_between(random, 0, HOSTS - 1);

	for (uint32_t n = 0; n < HOSTS; n++)
		hosts[n] = hosts[n + HOSTS] = random_host(random);
	for (uint32_t n = 0; n < HOSTS; n++)
		swapped[n] = hosts[(from + HOSTS - n) % HOSTS];
	refused = baseline_compute(hosts, HOSTS, refusal, &level);
	for (uint32_t n = 0; n < HOSTS; n++)
		if (!refusal[n].refused)
			check_host(&hosts[n], &level);
	check_all_largest(hosts, refusal, &level);
	check_same(swapped, HOSTS, refused, &level);
	check_same(hosts, 2 * HOSTS, refused, &level);
}

int main(void)
{
	struct random random = random_start();

	for (int n = 0; n < CASES; n++)
		check_case(&random);
	return 0;
}
