/* SPDX-License-Identifier: BSD-2-Clause */
/* Writes: see the header. */
#include "writes.h"
#include "memory.h"
#include "refusal.h"

#include <string.h>

int sc_writes_begin(struct sc_plan *plan, uint32_t max, struct sc_arena *arena, struct sc_refusal *why)
{
	struct sc_write *writes = sc_arena_take(arena, (uint64_t)max * sizeof(*writes), why);

	if (!writes)
		return -SC_REFUSED_SPACE;
	plan->writes = writes;
	plan->write_count = 0;
	plan->write_max = max;
	return 0;
}

/* How many lie before the address. */
static uint32_t count_before(const struct sc_plan *plan, uint64_t address)
{
	uint32_t low = 0, high = plan->write_count;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (plan->writes[middle].address < address)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static bool overlaps(const struct sc_plan *plan, uint32_t at, const struct sc_write *write)
{
	const struct sc_write *next = plan->writes + at, *last = next - 1;

	return (at < plan->write_count && next->address - write->address < write->size) ||
	       (at > 0 && write->address - last->address < last->size);
}

int sc_writes_add(struct sc_plan *plan, const struct sc_write *write, struct sc_refusal *why)
{
	uint64_t mask = ~0ull >> (64 - 8 * write->size);
	uint32_t at = count_before(plan, write->address);

	if (write->address % write->size)
		return refusal_hex(why, SC_REFUSED_DAMAGED, "a value of the kernel's is not aligned, at 0x",
				   write->address, NULL);
	if (overlaps(plan, at, write))
		return refusal_hex(why, SC_REFUSED_DAMAGED, "two values of the kernel's are at one place, 0x",
				   write->address, NULL);
	if (plan->write_count == plan->write_max)
		return refusal_set(why, SC_REFUSED_SPACE, "the repair writes more than there is room for", NULL, NULL);
	memmove(plan->writes + at + 1, plan->writes + at, (plan->write_count - at) * sizeof(*write));
	plan->writes[at] = *write;
	plan->writes[at].before &= mask;
	plan->writes[at].after &= mask;
	plan->write_count++;
	return 0;
}
