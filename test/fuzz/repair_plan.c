/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A plan for a guest whose timekeeping, tables and registers are changed in any places: it is refused with a clause and
 * nothing is planned, or it can be carried out and taken back; no more than RAM is read and written.
 *
 * The bytes are changes: a place by 8 bytes, and 8 bytes to put there. Places from 2^63 on are the vCPUs' timers and
 * the rates, others are in the guest's variables.
 */
#include "fuzz.h"

#include "../fake/linux_clock.h"

#include <string.h>

#define CHANGES_MAX 32u

static struct linux_clock guest;
static struct linux_clock_state state;

/* Where a change goes. */
static void *place_of(uint64_t place, struct sc_rate_change *change)
{
	const uint32_t words = sizeof(guest.timers) / 8, more = sizeof(*change) / 8;
	uint64_t n = (place & INT64_MAX) / 8;

	if (place <= INT64_MAX)
		return guest.ram.range[0].bytes + n * 8 % (LINUX_CLOCK_RAM_SIZE - 8);
	n %= words + more;
	return n < words ? (void *)((uint64_t *)guest.timers + n) : (void *)((uint64_t *)change + (n - words));
}

static void plan(const struct sc_rate_change *change)
{
	static uint8_t memory[SC_PLAN_ARENA_SIZE] __attribute__((aligned(8)));
	static uint8_t before[LINUX_CLOCK_RAM_SIZE];
	struct sc_arena arena = { .memory = memory, .size = sizeof(memory) };
	struct sc_refusal why = { 0 };
	struct sc_plan made;
	int err = sc_plan_make(&guest.kernel, change, &arena, &made, &why);

	FUZZ_MUST(guest.ram.writes == 0 && guest.ram.outside == 0);
	FUZZ_MUST(!err || (err < 0 && why.text[0] && !made.write_count && !made.writes));
	if (err)
		return;
	memcpy(before, guest.ram.range[0].bytes, sizeof(before));
	FUZZ_MUST(sc_plan_apply(&guest.guest, &made, &why) == 0);
	FUZZ_MUST(sc_plan_revert(&guest.guest, &made, &why) == 0);
	FUZZ_MUST(!memcmp(before, guest.ram.range[0].bytes, sizeof(before)));
	FUZZ_MUST(guest.ram.outside == 0);
	guest.ram.writes = 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct sc_rate_change change;
	struct sc_vcpu_timers timers[LINUX_CLOCK_CPUS];
	uint64_t before[CHANGES_MAX], word[2];
	size_t count = size / sizeof(word) < CHANGES_MAX ? size / sizeof(word) : CHANGES_MAX;

	if (!state.hz) {
		state = linux_clock_usual(25000000);
		linux_clock_begin(&guest, &state);
	}
	change = (struct sc_rate_change){ state.hz, 62500000, state.count, 4711 };
	memcpy(timers, guest.timers, sizeof(timers));
	for (size_t i = 0; i < count; i++) {
		memcpy(word, data + i * sizeof(word), sizeof(word));
		memcpy(&before[i], place_of(word[0], &change), 8);
		memcpy(place_of(word[0], &change), &word[1], 8);
	}
	plan(&change);
	for (size_t i = count; i > 0; i--) {
		memcpy(word, data + (i - 1) * sizeof(word), sizeof(word));
		if (word[0] <= INT64_MAX)
			memcpy(place_of(word[0], &change), &before[i - 1], 8);
	}
	memcpy(guest.timers, timers, sizeof(timers));
	return 0;
}
