/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Property: whatever the paths are like and however the clocks drift within the allowance, the interval of the handoff
 * contains the truth, and it is as narrow as the best stamp allows. A hostile peer's stamps do no harm.
 *
 * Policy: true clocks are exact: in millionths of a ns, a rate that is wrong by whole ppm is an integer.
 */
#include <seaclock/core.h>

#include "random.h"

#define HANDOFFS 10000
#define STAMPS 60
#define HOSTILE 200000
#define MILLION 1000000

typedef __int128 i128;

struct clock {
	uint64_t base_ns;
	int32_t ppm;
};

struct world {
	struct random *random;
	struct clock source;
	struct clock target;
	uint64_t now; /* true ns */
	struct sc_offset handoff;
	uint64_t round_trip[STAMPS]; /* of the stamps that were taken, and when they were sent */
	uint64_t sent[STAMPS];
};

static struct clock random_clock(struct random *random)
{
	/* Often at the very edge of the allowance. */
	static const int32_t edges[] = { -100, 100 };

	return (struct clock){
		.base_ns = random_next(random) >> random_between(random, 3, 40),
		.ppm = random_chance(random, 2) ? edges[random_next(random) % 2]
						: (int32_t)random_between(random, 0, 200) - 100,
	};
}

static i128 clock_exact(const struct clock *clock, uint64_t now)
{
	return (i128)clock->base_ns * MILLION + (i128)now * (MILLION + clock->ppm);
}

static sc_ns_t clock_read(const struct clock *clock, uint64_t now)
{
	return sc_ns((uint64_t)(clock_exact(clock, now) / MILLION));
}

/* Delays from a few ns to a second, each path by itself. */
static void pass(struct world *world)
{
	world->now += random_next(world->random) >> random_between(world->random, 34, 60);
}

static void exchange(struct world *world)
{
	uint32_t n = world->handoff.stamps;
	struct sc_stamp stamp;

	stamp.sent = clock_read(&world->source, world->now);
	pass(world);
	stamp.received = clock_read(&world->target, world->now);
	world->now += random_between(world->random, 0, 2000);
	stamp.answered = clock_read(&world->target, world->now);
	pass(world);
	stamp.returned = clock_read(&world->source, world->now);
	/* Two messages that were faster than their clocks can tell are refused, which is no loss. */
	if (sc_offset_add(&world->handoff, &stamp))
		return;
	world->round_trip[n] = (stamp.returned.v - stamp.sent.v) - (stamp.answered.v - stamp.received.v);
	world->sent[n] = stamp.sent.v;
}

/*
 * Twice the half width that the best stamp allows at source time now, by the words of sc_offset_result, in parts of a
 * ns: its round trip, twice its age's drift of 2p / (1 - p), a tick of either counter (1 ns), and twice 3 ns.
 */
#define PARTS (MILLION - SC_OFFSET_DRIFT_PPM)

static i128 best_width(const struct world *world, uint64_t now)
{
	i128 best = (i128)1 << 126;

	for (uint32_t i = 0; i < world->handoff.stamps; i++) {
		i128 age = now > world->sent[i] ? now - world->sent[i] : world->sent[i] - now;
		i128 width = ((i128)world->round_trip[i] + 2 + 6) * PARTS + 2 * age * 2 * SC_OFFSET_DRIFT_PPM;

		best = width < best ? width : best;
	}
	return best;
}

static void check_result(struct world *world)
{
	i128 truth = clock_exact(&world->target, world->now) - clock_exact(&world->source, world->now);
	sc_ns_t now = clock_read(&world->source, world->now);
	struct sc_offset_result result;
	i128 middle, half;

	if (sc_offset_result(&world->handoff, now, &result))
		return;
	middle = result.middle_ns;
	half = result.half_width_ns;
	PROPERTY((middle - half) * MILLION <= truth && truth <= (middle + half) * MILLION,
		 "the truth is not within %" PRId64 " +- %" PRIu64 " ns", result.middle_ns, result.half_width_ns);
	PROPERTY(half * 2 * PARTS <= best_width(world, now.v), "half width %" PRIu64 ", the best stamp allows %" PRIu64,
		 result.half_width_ns, (uint64_t)(best_width(world, now.v) / (2 * PARTS)));
}

static void hand_off(struct random *random)
{
	struct world world = { .random = random };

	world.source = random_clock(random);
	world.target = random_clock(random);
	sc_offset_init(&world.handoff, 1000000000, 1000000000);
	for (int i = 0; i < STAMPS; i++) {
		exchange(&world);
		check_result(&world);
		world.now += random_next(random) >> random_between(random, 28, 60);
		check_result(&world);
	}
	PROPERTY(world.handoff.stamps > STAMPS / 2, "only %" PRIu32 " stamps were taken", world.handoff.stamps);
}

static struct sc_statement random_statement(struct random *random)
{
	return (struct sc_statement){ sc_ns(random_wide(random)), sc_ns(random_wide(random)), random_wide(random) };
}

static void attack_by_statements(struct random *random, struct sc_offset *handoff)
{
	struct sc_statement source = random_statement(random), target = random_statement(random);
	int err = sc_offset_state(handoff, &source, &target);

	PROPERTY(!err == (sc_statement_is_valid(&source) && sc_statement_is_valid(&target)), "%d", err);
}

/* The answers mean nothing, but they are given. */
static void ask(struct random *random, const struct sc_offset *handoff)
{
	sc_ns_t now = sc_ns(random_wide(random));
	struct sc_offset_result result;
	struct sc_offset_rate rate;

	sc_offset_result(handoff, now, &result);
	sc_offset_bound(handoff, now, (int64_t)random_wide(random), &result);
	if (!sc_offset_rate(handoff, &rate))
		PROPERTY(rate.bound_ppb <= MILLION, "the rate is known to %" PRIu64 " ppb", rate.bound_ppb);
}

static void attack(struct random *random)
{
	struct sc_offset handoff;

	sc_offset_init(&handoff, random_rate(random), random_rate(random));
	for (int i = 0; i < HOSTILE; i++) {
		struct sc_stamp stamp = { sc_ns(random_wide(random)), sc_ns(random_wide(random)),
					  sc_ns(random_wide(random)), sc_ns(random_wide(random)) };
		struct sc_offset before = handoff;

		if (sc_offset_add(&handoff, &stamp))
			PROPERTY(handoff.stamps == before.stamps && handoff.low_ns == before.low_ns &&
					 handoff.high_ns == before.high_ns,
				 "a refused stamp has changed something");
		attack_by_statements(random, &handoff);
		ask(random, &handoff);
	}
}

int main(void)
{
	struct random random = random_start();

	for (int i = 0; i < HANDOFFS; i++)
		hand_off(&random);
	attack(&random);
	printf("[  PASSED  ] 2 test(s).\n");
	return 0;
}
