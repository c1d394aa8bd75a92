// SPDX-License-Identifier: BSD-2-Clause
/*
 * The criteria for a guest that writes memory and checks it. Policy: a load that stood still in one leg has shown
 * nothing, so that fails as well.
 */
#include "verdict_memory.h"

#include <inttypes.h>

#include "criterion.h"

static bool memory_was_written(const struct transcript *transcript)
{
	const struct transcript_memory *memory = transcript->memory.items;
	size_t count = transcript->memory.count, legs = 0;
	int64_t before = 0;

	for (size_t i = 0; i < count; i++) {
		if (i + 1 < count && memory[i + 1].leg == memory[i].leg)
			continue;
		legs += memory[i].written > before;
		before = memory[i].written;
	}
	return legs > 0 && legs == transcript->legs;
}

bool verdict_of_memory(const struct transcript *transcript, FILE *out)
{
	const struct transcript_memory *memory = transcript->memory.items;

	if (!memory_was_written(transcript))
		return criterion_print(out, false, "memory: in one of %zu legs nothing was written", transcript->legs);
	const struct transcript_memory *last = &memory[transcript->memory.count - 1];

	if (last->wrong > 0)
		return criterion_print(out, false,
				       "memory: %" PRId64 " of %" PRId64 " checked pages were wrong, the first one page"
				       " %" PRId64 " in generation %" PRId64,
				       last->wrong, last->written, last->page, last->generation);
	return criterion_print(out, true, "memory: %" PRId64 " pages, checked %" PRId64 " times, none wrong",
			       last->pages, last->written);
}
