/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * How guest time stops on one counter and goes on on another.
 *
 * Policy: the raw counter and reference time both go on from where they stopped, plus the gap under SC_CLOCK_ADVANCE,
 * and neither ever goes back, not by the fraction of a unit. Timers need nothing: they are set in reference time.
 */
#include "clock.h"
#include "rate.h"

struct sc_stop_point sc_partition_stop(const struct sc_partition *partition, sc_ticks_t counter)
{
	return (struct sc_stop_point){
		.hz = partition->clock.hz,
		.counter = counter,
		.reference = sc_clock_read(&partition->clock, counter),
	};
}

/* The most exact time that a guest can read: by the page with the fraction of a unit, by the register without. */
static sc_u128 finest_time(const struct sc_clock *clock, sc_ticks_t counter)
{
	sc_u128 position = sc_clock_position(clock, counter);

	return clock->scale ? position : position >> 64 << 64;
}

/* A time as a part of reference time. */
static sc_u128 position_of(sc_ns_t gap)
{
	return ((sc_u128)(gap.v / SC_REF_NS) << 64) + sc_fraction(gap.v % SC_REF_NS, SC_REF_NS);
}

int sc_partition_resume(struct sc_partition *partition, const struct sc_stop_point *stop, uint32_t hz,
			enum sc_clock_policy policy, sc_ns_t gap, sc_ticks_t *counter)
{
	sc_ns_t counted = policy == SC_CLOCK_FREEZE ? sc_ns(0) : gap;
	struct sc_clock *clock = &partition->clock;
	/* With the fraction of a unit that the stop point leaves out. */
	sc_u128 stopped = (sc_u128)stop->reference.v << 64 | (uint64_t)sc_clock_position(clock, stop->counter);
	sc_u128 at = stopped + position_of(counted), seen = finest_time(clock, stop->counter);
	sc_ticks_t start = sc_ticks(sc_add_saturating(stop->counter.v, sc_rate_ns_to_ticks(hz, counted).v));
	int err = sc_clock_set_position(clock, hz, start, at);

	if (err)
		return err;
	/* With hardly a gap the floors of offset and register may cost what the guest has already seen. Times wrap. */
	while ((finest_time(clock, start) - seen) >> 127)
		clock->offset = (int64_t)((uint64_t)clock->offset + 1);
	partition->page_sequence = sc_page_next_sequence(partition->page_sequence);
	*counter = start;
	return 0;
}
