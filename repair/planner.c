/* SPDX-License-Identifier: BSD-2-Clause */
/* The planner: see the header. */
#include "planner.h"
#include "refusal.h"
#include "space.h"
#include "writes.h"

void sc_planner_refuse(struct planner *planner, enum sc_refusal_reason reason, const char *clause)
{
	if (!planner->err)
		planner->err = refusal_set(planner->why, reason, clause, NULL, NULL);
}

void sc_planner_expect(struct planner *planner, bool so, enum sc_refusal_reason reason, const char *clause)
{
	if (!so)
		sc_planner_refuse(planner, reason, clause);
}

uint64_t sc_planner_read(struct planner *planner, uint64_t va, uint32_t size)
{
	uint64_t value = 0;

	if (!planner->err)
		planner->err = sc_space_read(&planner->kernel->space, va, &value, size, planner->why);
	return planner->err ? 0 : value;
}

/* What is aligned lies in one page. */
static void take_up(struct planner *planner, uint64_t va, const struct sc_write *wanted)
{
	struct sc_write write = *wanted;
	uint64_t left;

	if (va % write.size) {
		planner->err = refusal_hex(planner->why, SC_REFUSED_DAMAGED,
					   "a value of the kernel's is not aligned, at 0x", va, NULL);
		return;
	}
	planner->err = sc_space_translate(&planner->kernel->space, va, &write.address, &left, planner->why);
	if (!planner->err)
		planner->err = sc_writes_add(planner->plan, &write, planner->why);
}

void sc_planner_write(struct planner *planner, uint64_t va, uint32_t size, uint64_t value)
{
	struct sc_write write = { .before = sc_planner_read(planner, va, size), .after = value, .size = size };

	if (!planner->err)
		take_up(planner, va, &write);
}

bool sc_planner_has(const struct planner *planner, enum sc_field field)
{
	return planner->kernel->layout.field[field].size;
}

uint64_t sc_planner_at(const struct planner *planner, uint64_t base, enum sc_field field)
{
	return base + planner->kernel->layout.field[field].offset;
}

/* 0 and a refusal if the series has no such member, or it is not a number. */
static uint32_t size_of(struct planner *planner, enum sc_field field)
{
	uint32_t size = planner->kernel->layout.field[field].size;

	if (size == 1 || size == 2 || size == 4 || size == 8)
		return size;
	sc_planner_refuse(planner, SC_REFUSED_UNKNOWN, "how the kernel's timekeeping is repaired is not known");
	return 0;
}

uint64_t sc_planner_get(struct planner *planner, uint64_t base, enum sc_field field)
{
	uint32_t size = size_of(planner, field);

	return sc_planner_read(planner, sc_planner_at(planner, base, field), size);
}

void sc_planner_set(struct planner *planner, uint64_t base, enum sc_field field, uint64_t value)
{
	uint32_t size = size_of(planner, field);

	sc_planner_write(planner, sc_planner_at(planner, base, field), size, value);
}

void sc_planner_bump(struct planner *planner, uint64_t base, enum sc_field field, const char *what)
{
	uint64_t sequence = sc_planner_get(planner, base, field);

	if (sequence & 1 && !planner->err)
		planner->err = refusal_set(planner->why, SC_REFUSED_BUSY, "the kernel is about to change ", what, NULL);
	sc_planner_set(planner, base, field, sequence + 2);
}
