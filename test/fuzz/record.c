/* SPDX-License-Identifier: BSD-2-Clause */
/* The core's record: what loads is saved as the same bytes, and is a clock that can stop, go on elsewhere and be saved.
 */
#include "fuzz.h"

#include <seaclock/core.h>
#include <string.h>

static const uint32_t rates[] = { 1000000, 10000000, 25000000, 121875000, 1000000000, 2000000000 };

static void save_and_compare(const struct sc_partition *partition, const struct sc_stop_point *stop,
			     const uint8_t *data, size_t size)
{
	uint8_t again[SC_RECORD_MAX];
	size_t length;

	FUZZ_MUST(!sc_record_save(partition, stop, again, sizeof(again), &length));
	FUZZ_MUST(length == size && !memcmp(again, data, size));
}

/* On another host, after a gap that the bytes choose. */
static void go_on(struct sc_partition *partition, const struct sc_stop_point *stop, uint8_t choice)
{
	enum sc_clock_policy policy = choice & 1 ? SC_CLOCK_FREEZE : SC_CLOCK_ADVANCE;
	sc_ns_t gap = sc_ns(1ull << (choice >> 4));
	sc_ticks_t counter;
	sc_ref_t deadline;

	FUZZ_MUST(!sc_partition_resume(partition, stop, rates[(choice >> 1 & 7) % 6], policy, gap, &counter));
	FUZZ_MUST(counter.v >= stop->counter.v);
	FUZZ_MUST(sc_clock_read(&partition->clock, counter).v >= stop->reference.v);
	sc_partition_expire(partition, counter);
	sc_partition_deadline(partition, &deadline);
	sc_partition_follow(partition, choice, choice & 2 ? SC_MOVE_ASKED : SC_MOVE_AS_STANDS);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct sc_partition partition;
	struct sc_stop_point stop;

	if (sc_record_load(data, size, &partition, &stop))
		return 0;
	save_and_compare(&partition, &stop, data, size);
	go_on(&partition, &stop, data[size - 1] ^ data[size / 2]);
	return 0;
}
