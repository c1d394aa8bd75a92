/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Property: on this machine's own counter, the register read between two reads of the page lies between them, for any
 * rate and across rebases.
 *
 * Policy: the real reader with the real counter; what rate the counter really has does not matter.
 */
#include <seaclock/page.h>

#include "random.h"

#define CLOCKS 2000
#define READS 100

static void check_reads(const struct sc_reference_tsc_page *page, const struct sc_clock *clock, uint64_t *seen)
{
	sc_ref_t before, between, after;

	PROPERTY(sc_page_read(page, &before), "the page is invalid");
	between = sc_clock_read(clock, sc_counter_read());
	PROPERTY(sc_page_read(page, &after), "the page is invalid");
	PROPERTY(*seen <= before.v && before.v <= between.v && between.v <= after.v,
		 "%" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64, *seen, before.v, between.v, after.v);
	*seen = after.v;
}

int main(void)
{
	struct random random = random_start();
	struct sc_reference_tsc_page page = { 0 };
	struct sc_partition partition;
	struct sc_stop_point stop;
	sc_ticks_t counter;
	uint64_t seen = 0;

	PROPERTY(!sc_partition_init(&partition, 1, 1000000000, sc_counter_read()), "init");
	for (int i = 0; i < CLOCKS; i++) {
		stop = sc_partition_stop(&partition, sc_counter_read());
		PROPERTY(!sc_partition_resume(&partition, &stop, random_rate(&random), SC_CLOCK_FREEZE, sc_ns(0),
					      &counter),
			 "resume");
		sc_page_write(&page, &partition.clock, partition.page_sequence);
		for (int n = 0; n < READS; n++)
			check_reads(&page, &partition.clock, &seen);
	}
	printf("[  PASSED  ] 1 test(s).\n");
	return 0;
}
