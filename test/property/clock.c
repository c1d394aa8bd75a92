/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Property: over a simulated year of thousands of migrations and pauses between any rates, no vCPU ever sees reference
 * time or the counter go back, the page and the register agree, and the error stays within the stated rounding.
 *
 * Policy: the exact time is kept beside it as 64.64 fixed point from rational arithmetic, in rounding much finer than
 * anything checked.
 */
#include <seaclock/core.h>

#include "random.h"

#define GUESTS 40
#define REBASES 3000
#define READS 40
#define YEAR_S 31557600ull

typedef unsigned __int128 u128;

struct life {
	struct random *random;
	struct sc_partition partition;
	uint64_t counter; /* the latest value that any vCPU has read */
	uint64_t seen;	  /* the latest reference time that any vCPU has read */
	u128 exact;	  /* reference time at `counter`, 64.64 */
	uint64_t rebases; /* that may have lost up to one unit each */
	uint64_t gapless; /* that may have won up to one unit each */
	uint64_t ticks;	  /* lived through, for the error of the scale */
};

/* a * b / divisor as 64.64. */
static u128 ratio(uint64_t a, uint64_t b, uint64_t divisor)
{
	u128 product = (u128)a * b;

	return product / divisor << 64 | (product % divisor << 64) / divisor;
}

static uint64_t page_time(const struct sc_partition *partition, uint64_t counter)
{
	struct sc_reference_tsc_page page = { 0 };

	sc_page_write(&page, &partition->clock, partition->page_sequence);
	PROPERTY(page.sequence != 0 && page.sequence != UINT32_MAX, "the page of a fast counter is invalid");
	return (uint64_t)((u128)counter * page.scale >> 64) + (uint64_t)page.offset;
}

/* Some vCPU reads the clock `ticks` after the last read. */
static void read_clock(struct life *life, uint64_t ticks)
{
	uint32_t hz = life->partition.clock.hz;
	uint64_t now;
	__int128 error;

	life->counter += ticks;
	life->ticks += ticks;
	life->exact += ratio(ticks, SC_REF_HZ, hz);
	now = sc_clock_read(&life->partition.clock, sc_ticks(life->counter)).v;
	PROPERTY(now >= life->seen, "R went back from %" PRIu64 " to %" PRIu64, life->seen, now);
	life->seen = now;
	if (hz > SC_REF_HZ)
		PROPERTY(page_time(&life->partition, life->counter) == now, "page and register differ");
	/* In 2^-64 units: the scale's own error is one of them per tick. */
	error = (__int128)(life->exact - ((u128)now << 64));
	PROPERTY(error < ((__int128)(1 + life->rebases) << 64) + life->ticks, "R is too low after %" PRIu64 " rebases",
		 life->rebases);
	PROPERTY(error > -((__int128)life->gapless << 64) - (__int128)life->rebases * 1000,
		 "R is too high after %" PRIu64 " rebases", life->rebases);
}

static uint32_t any_rate(struct random *random)
{
	/* Now and then a counter that is too slow for a page. */
	return random_chance(random, 10) ? (uint32_t)random_between(random, SC_RATE_MIN_HZ, SC_REF_HZ)
					 : random_rate(random);
}

/* The most exact time that the guest can read: by the page with the fraction of a unit, by the register without. */
static u128 finest_time(const struct life *life)
{
	const struct sc_clock *clock = &life->partition.clock;

	if (!clock->scale)
		return (u128)sc_clock_read(clock, sc_ticks(life->counter)).v << 64;
	return (u128)life->counter * clock->scale + ((u128)(uint64_t)clock->offset << 64);
}

static void rebase(struct life *life)
{
	u128 finest = finest_time(life);
	struct sc_stop_point stop = sc_partition_stop(&life->partition, sc_ticks(life->counter));
	uint64_t gap = random_chance(life->random, 4) ? random_between(life->random, 0, 300)
						      : random_between(life->random, 0, 20000000000);
	enum sc_clock_policy policy = random_chance(life->random, 3) ? SC_CLOCK_FREEZE : SC_CLOCK_ADVANCE;
	uint32_t hz = any_rate(life->random), sequence = life->partition.page_sequence;
	sc_ticks_t counter;

	PROPERTY(!sc_partition_resume(&life->partition, &stop, hz, policy, sc_ns(gap), &counter), "%" PRIu32 " Hz", hz);
	if (policy == SC_CLOCK_FREEZE)
		gap = 0;
	PROPERTY(counter.v == life->counter + (uint64_t)((u128)gap * hz / 1000000000), "the counter jumps");
	PROPERTY(life->partition.page_sequence != sequence, "the page keeps its sequence");
	life->counter = counter.v;
	PROPERTY(finest_time(life) >= finest, "R goes back by a fraction of a unit");
	life->exact += ratio(gap, 1, SC_REF_NS);
	life->rebases++;
	if (gap < 2 * SC_REF_NS)
		life->gapless += hz > SC_REF_HZ ? 1 : 2;
}

static void live(struct random *random)
{
	/* The first setting of the clock is a rebase without a gap. */
	struct life life = {
		.random = random,
		.counter = random_next(random) >> random_between(random, 6, 40),
		.gapless = 1,
	};
	uint64_t segment;

	PROPERTY(!sc_partition_init(&life.partition, 2, any_rate(random), sc_ticks(life.counter)), "init");
	/* As after the guest has enabled its page. */
	life.partition.page_sequence = 1;
	for (int i = 0; i < REBASES; i++) {
		segment = random_between(random, 0, 2 * YEAR_S / REBASES / READS) * life.partition.clock.hz;
		for (int n = 0; n < READS; n++)
			read_clock(&life, random_chance(random, 2) ? random_between(random, 0, 200)
								   : random_between(random, 0, segment));
		rebase(&life);
		read_clock(&life, 0);
	}
}

int main(void)
{
	struct random random = random_start();

	for (int i = 0; i < GUESTS; i++)
		live(&random);
	printf("[  PASSED  ] 1 test(s).\n");
	return 0;
}
