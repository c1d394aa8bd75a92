/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Property: 100,000 migrations, in chains of 1,000, between hosts whose counters have real rates. The bound that each
 * states holds, it is as small as its best stamp promises, R never goes back, and over a chain the guest's clock is off
 * by no more than the sum of the bounds.
 *
 * Policy: the world is exact. Counters are integers of 10^-18 ticks, true time is in ps. Only the core computes as the
 * monitor does; what it says is held against the world.
 */
#include <seaclock/core.h>

#include "random.h"

#define CHAINS 100
#define MIGRATIONS 1000
#define BURSTS_MAX 3
#define STAMPS_MAX 8 /* a burst */
#define MILLION 1000000
#define BILLION 1000000000u
#define PS_PER_NS 1000u
#define PS_PER_MS 1000000000u
#define TICK ((i128)BILLION * BILLION)
#define EPOCH_NS 1700000000000000000ull

typedef __int128 i128;

struct host {
	uint32_t hz;
	int32_t ppm;	/* how much faster it really is */
	uint64_t since; /* true ps, when it read `phase` */
	i128 phase;	/* of its counter */
	int64_t off_ns; /* of CLOCK_REALTIME, from UTC */
	uint64_t error_ns;
};

/* A stamp that was taken, and the exact difference when it was sent. */
struct taken {
	uint64_t sent;
	uint64_t round_trip;
	i128 difference;
};

struct world {
	struct random *random;
	uint64_t now; /* true ps */
	uint64_t out; /* the fastest that the paths can be, in ps */
	uint64_t back;
	struct host source;
	struct host target;
	struct sc_offset handoff;
	struct taken taken[BURSTS_MAX * STAMPS_MAX];
	uint32_t stamps;
	bool steady; /* since the first of them nothing was stepped and no rate has changed */
	/* The guest. */
	struct sc_partition partition;
	uint64_t offset;  /* guest counter = source's - offset */
	i128 exact;	  /* what R should be, in 10^-6 ns */
	uint64_t allowed; /* how far it may be from that, in ns: the sum of the bounds */
	uint64_t seen;	  /* the last R that the guest has read */
};

/* What happened at all: a run that never met a case has not tested it. */
static struct {
	uint64_t migrations, stamps, lost, late, stepped, tighter, looser, excluded, rates, frozen;
} seen;

/* ---- Hosts ---- */

/* Rates of real counters (SoC manuals and what running machines say); two of them are too slow for a page. */
static const uint32_t rates[] = {
	83333333, 121875000, 1050000000, 1000000000, 25000000, 200000000, 100000000, 24000000, 19200000, 54000000,
	31250000, 13000000,  8333333,	 8000000,    12500000, 400000000, 125000000, 1200000,  1920000,	 62500000,
};

static void host_start(struct world *world, struct host *host)
{
	struct random *random = world->random;

	host->hz = rates[random_next(random) % (sizeof(rates) / sizeof(rates[0]))];
	host->since = world->now;
	/* Up for a moment, or for half a century. */
	host->phase = (i128)(random_next(random) >> random_between(random, 4, 44)) %
		      ((i128)host->hz * 3600 * 24 * 18000) * TICK;
}

/* From now on at a rate that is wrong by so much; often at the very edge of the allowance. */
static void host_drift(struct world *world, struct host *host)
{
	static const int32_t edges[] = { -100, 0, 100 };
	struct random *random = world->random;
	uint64_t elapsed = world->now - host->since;

	host->phase += (i128)host->hz * (MILLION + host->ppm) * elapsed;
	host->since = world->now;
	host->ppm = random_chance(random, 2) ? edges[random_next(random) % 3]
					     : (int32_t)random_between(random, 0, 200) - 100;
}

static i128 host_phase(const struct host *host, uint64_t now)
{
	return host->phase + (i128)host->hz * (MILLION + host->ppm) * (now - host->since);
}

/* What the counter stands for exactly, at its stated rate, in 10^-6 ns. */
static i128 host_exact(const struct host *host, uint64_t now)
{
	return host_phase(host, now) / ((i128)host->hz * 1000);
}

static uint64_t host_ticks(const struct host *host, uint64_t now)
{
	return (uint64_t)(host_phase(host, now) / TICK);
}

/* What the counter stands for beyond its last tick. */
static i128 host_fraction(const struct host *host, uint64_t now)
{
	return host_phase(host, now) % TICK / ((i128)host->hz * 1000);
}

static sc_ns_t host_ns(const struct host *host, uint64_t now)
{
	return sc_rate_ticks_to_ns(host->hz, sc_ticks(host_ticks(host, now)));
}

static i128 difference(const struct world *world)
{
	return host_exact(&world->target, world->now) - host_exact(&world->source, world->now);
}

/* ---- Stamps ---- */

/* A message is on its way: as long as the path takes, or longer, or very much longer. */
static void pass(struct world *world, uint64_t path)
{
	struct random *random = world->random;

	world->now += path + (random_next(random) & 0xffffff); /* 17 us */
	if (random_chance(random, 4))
		world->now += random_next(random) % (10 * (uint64_t)PS_PER_MS);
	if (random_chance(random, 300)) {
		world->now += random_next(random) % (1000 * (uint64_t)PS_PER_MS);
		seen.late++;
	}
}

static void exchange(struct world *world)
{
	struct taken *taken = &world->taken[world->stamps];
	struct sc_stamp stamp = { .sent = host_ns(&world->source, world->now) };

	taken->sent = stamp.sent.v;
	taken->difference = difference(world);
	pass(world, world->out);
	stamp.received = host_ns(&world->target, world->now);
	world->now += random_next(world->random) & 0xffffff;
	stamp.answered = host_ns(&world->target, world->now);
	pass(world, world->back);
	stamp.returned = host_ns(&world->source, world->now);
	/* A message that was faster than a slow counter can tell is refused, which is no loss. */
	if (sc_offset_add(&world->handoff, &stamp))
		return;
	taken->round_trip = (stamp.returned.v - stamp.sent.v) - (stamp.answered.v - stamp.received.v);
	world->stamps++;
	seen.stamps++;
}

static void burst(struct world *world)
{
	uint32_t stamps = world->stamps;

	for (uint64_t n = random_between(world->random, 3, STAMPS_MAX); n; n--) {
		if (random_chance(world->random, 8)) {
			seen.lost++;
			pass(world, world->out);
		} else {
			exchange(world);
		}
	}
	/* The monitor does not stop a guest on stamps of which it got none. */
	while (world->stamps == stamps)
		exchange(world);
}

/* A counter goes on somewhere else, far beyond all that is known. The source's may only jump ahead, for it is the
 * guest's. */
static void step(struct world *world)
{
	struct host *host = random_chance(world->random, 2) ? &world->source : &world->target;
	i128 by = (i128)random_between(world->random, 100, 100000) * host->hz * TICK;

	if (host == &world->target && host->phase > by && random_chance(world->random, 2))
		by = -by;
	if (host == &world->source)
		world->exact += by / ((i128)host->hz * 1000);
	host->phase += by;
	world->stamps = 0;
	world->steady = false;
	seen.stepped++;
}

/* ---- Statements ---- */

static struct sc_statement host_statement(struct world *world, const struct host *host, bool known)
{
	struct random *random = world->random;
	struct sc_statement statement;
	sc_ns_t before = host_ns(host, world->now), realtime;

	world->now += random_next(random) & 0xffffff;
	realtime = sc_ns(EPOCH_NS + world->now / PS_PER_NS + (uint64_t)host->off_ns);
	world->now += random_chance(random, 10) ? random_next(random) % PS_PER_MS : random_next(random) & 0xffff;
	PROPERTY(!sc_statement_make(&statement, host->hz, before, realtime, host_ns(host, world->now),
				    known ? host->error_ns : SC_STATEMENT_UNKNOWN),
		 "a host cannot state its time");
	return statement;
}

/* CLOCK_REALTIME, disciplined: anywhere within its error. */
static void host_discipline(struct world *world, struct host *host)
{
	host->error_ns = random_next(world->random) >> random_between(world->random, 40, 60);
	host->off_ns = (int64_t)(random_next(world->random) % (2 * host->error_ns + 1)) - (int64_t)host->error_ns;
}

static void state(struct world *world)
{
	struct random *random = world->random;
	bool known = !random_chance(random, 3);
	struct sc_statement source, target;

	host_discipline(world, &world->source);
	host_discipline(world, &world->target);
	/* Stepped by hand: the kernel knows no error of it any more. Or it is wrong, by more than the stamps can be. */
	if (random_chance(random, 20)) {
		world->target.off_ns += (int64_t)(random_next(random) >> 8);
		known = random_chance(random, 2);
	}
	source = host_statement(world, &world->source, !random_chance(random, 10));
	pass(world, world->out);
	target = host_statement(world, &world->target, known);
	PROPERTY(!sc_offset_state(&world->handoff, &source, &target), "two statements are refused");
}

/* ---- What the core says ---- */

/* The half width that the best stamp promises: the drift allowance is 2p / (1 - p) of its age; rounded down. */
static uint64_t promised(const struct world *world, uint64_t now)
{
	uint64_t best = UINT64_MAX;

	for (uint32_t i = 0; i < world->stamps; i++) {
		uint64_t half = world->taken[i].round_trip / 2 + (now - world->taken[i].sent) * 200 / 999900;

		best = half < best ? half : best;
	}
	return best;
}

static uint64_t distance(i128 a, i128 b)
{
	i128 off = a > b ? a - b : b - a;

	return (uint64_t)((off + MILLION - 1) / MILLION);
}

static void check_promise(const struct world *world, const struct sc_offset_result *result, uint64_t bound)
{
	uint64_t now = world->handoff.best_at.v + result->age_ns;
	uint64_t ticks = (BILLION / world->source.hz + BILLION / world->target.hz) / 2;
	uint64_t stated = result->round_trip_ns / 2 + result->age_ns * 200 / 999900;

	PROPERTY(result->half_width_ns <= bound && bound <= stated + ticks + 8,
		 "half width %" PRIu64 ", bound %" PRIu64 ", round trip %" PRIu64 " and age %" PRIu64,
		 result->half_width_ns, bound, result->round_trip_ns, result->age_ns);
	PROPERTY(stated <= promised(world, now) + 2, "the best stamp makes %" PRIu64 ", another %" PRIu64, stated,
		 promised(world, now));
}

/* The exact difference when the stamp was sent that began at `sent`. */
static i128 difference_at(const struct world *world, sc_ns_t sent)
{
	for (uint32_t i = 0; i < world->stamps; i++)
		if (world->taken[i].sent == sent.v)
			return world->taken[i].difference;
	PROPERTY(false, "no stamp was sent at %" PRIu64, sent.v);
	return 0;
}

static void check_rate(const struct world *world)
{
	uint64_t elapsed = world->handoff.last.at.v - world->handoff.first.at.v;
	struct sc_offset_rate rate;
	i128 moved, low, high;

	if (sc_offset_rate(&world->handoff, &rate))
		return;
	moved = difference_at(world, world->handoff.last.at) - difference_at(world, world->handoff.first.at);
	low = (i128)(rate.ppb - (int64_t)rate.bound_ppb) * elapsed / 1000;
	high = (i128)(rate.ppb + (int64_t)rate.bound_ppb) * elapsed / 1000;
	PROPERTY(low <= moved && moved <= high, "the rate is not %" PRId64 " +- %" PRIu64 " ppb", rate.ppb,
		 rate.bound_ppb);
	seen.rates++;
}

static void count_stated(enum sc_stated stated)
{
	seen.tighter += stated == SC_STATED_TIGHTER;
	seen.looser += stated == SC_STATED_LOOSER;
	seen.excluded += stated == SC_STATED_EXCLUDED;
}

/* ---- The guest ---- */

static uint64_t guest_read(struct world *world)
{
	sc_ticks_t counter = sc_ticks(host_ticks(&world->source, world->now) - world->offset);
	uint64_t reference = sc_clock_read(&world->partition.clock, counter).v;

	PROPERTY(reference >= world->seen, "R goes back from %" PRIu64 " to %" PRIu64, world->seen, reference);
	world->seen = reference;
	return reference;
}

/* R against what it should be: by the sum of the bounds, and what a reading cannot tell. */
static void check_reference(struct world *world)
{
	uint64_t reference = guest_read(world);
	uint64_t slack = BILLION / world->source.hz + 2 * SC_REF_NS;
	uint64_t off = distance((i128)reference * SC_REF_NS * MILLION, world->exact);

	PROPERTY(off <= world->allowed + slack, "R is off by %" PRIu64 " ns; the bounds allow %" PRIu64, off,
		 world->allowed);
}

/* Time passes for the guest on the source. */
static void guest_live(struct world *world, i128 before)
{
	world->exact += host_exact(&world->source, world->now) - before;
}

/* As the monitor does it: the source stops, the target goes on after the gap, by the difference that it was told. */
static void guest_move(struct world *world)
{
	const struct host *source = &world->source, *target = &world->target;
	bool freeze = random_chance(world->random, 16);
	uint64_t stopped_ticks = host_ticks(source, world->now), started_ticks;
	struct sc_stop_point stop = sc_partition_stop(&world->partition, sc_ticks(stopped_ticks - world->offset));
	sc_ns_t stopped = sc_rate_ticks_to_ns(source->hz, sc_ticks(stopped_ticks));
	i128 left = host_exact(source, world->now), fraction = host_fraction(source, world->now);
	struct sc_offset_result result;
	sc_ticks_t counter;
	int64_t used, gap;
	uint64_t bound;

	PROPERTY(!sc_offset_result(&world->handoff, host_ns(source, world->now), &result), "there is no result");
	used = result.middle_ns;
	world->now += random_next(world->random) >> random_between(world->random, 22, 34);
	started_ticks = host_ticks(target, world->now);
	gap = (int64_t)(sc_rate_ticks_to_ns(target->hz, sc_ticks(started_ticks)).v - stopped.v - (uint64_t)used);
	gap = gap > 0 ? gap : 0;
	bound = sc_offset_bound(&world->handoff, sc_ns(stopped.v + (uint64_t)gap), used, &result);
	check_promise(world, &result, bound);
	count_stated(result.stated);
	PROPERTY(distance((i128)used * MILLION, difference(world)) <= bound,
		 "the difference is off by %" PRIu64 " ns, the bound is %" PRIu64,
		 distance((i128)used * MILLION, difference(world)), bound);
	PROPERTY(!sc_partition_resume(&world->partition, &stop, target->hz, freeze ? SC_CLOCK_FREEZE : SC_CLOCK_ADVANCE,
				      sc_ns((uint64_t)gap), &counter),
		 "the guest cannot go on at %" PRIu32 " Hz", target->hz);
	PROPERTY(counter.v >= stop.counter.v, "the raw counter goes back");
	world->offset = started_ticks - counter.v;
	/* Time freezes at a tick of one counter and goes on at a tick of another. */
	world->exact += freeze ? host_fraction(target, world->now) - fraction : host_exact(source, world->now) - left;
	world->allowed += (freeze ? 0 : bound) + SC_REF_NS;
	seen.frozen += freeze;
	world->source = world->target;
	guest_read(world);
}

/* ---- Migrations ---- */

/* Rounds of the pre-copy, each with a burst at its end; something may happen in between. */
static void copy(struct world *world)
{
	struct random *random = world->random;

	for (uint64_t n = random_between(random, 1, BURSTS_MAX); n; n--) {
		i128 before = host_exact(&world->source, world->now);

		world->now += random_next(random) >> random_between(random, 20, 30);
		guest_live(world, before);
		if (random_chance(random, 50))
			step(world);
		if (random_chance(random, 10)) {
			host_drift(world, &world->source);
			host_drift(world, &world->target);
		}
		before = host_exact(&world->source, world->now);
		if (random_chance(random, 2))
			state(world);
		burst(world);
		guest_live(world, before);
		check_reference(world);
	}
}

static void migrate(struct world *world)
{
	struct random *random = world->random;

	host_start(world, &world->target);
	host_drift(world, &world->target);
	/* From 1 us to 10 ms, each way by itself. */
	world->out = random_next(random) >> random_between(random, 31, 43);
	world->back = random_chance(random, 2) ? world->out : random_next(random) >> random_between(random, 31, 43);
	world->stamps = 0;
	sc_offset_init(&world->handoff, world->source.hz, world->target.hz);
	copy(world);
	check_rate(world);
	guest_move(world);
	check_reference(world);
	seen.migrations++;
}

static void chain(struct random *random)
{
	struct world world = { .random = random };

	host_start(&world, &world.source);
	host_drift(&world, &world.source);
	world.offset = host_ticks(&world.source, world.now);
	PROPERTY(!sc_partition_init(&world.partition, 1, world.source.hz, sc_ticks(0)), "no guest");
	for (int i = 0; i < MIGRATIONS; i++)
		migrate(&world);
}

int main(void)
{
	struct random random = random_start();

	for (int i = 0; i < CHAINS; i++)
		chain(&random);
	printf("%" PRIu64 " migrations (%" PRIu64 " frozen), %" PRIu64 " stamps, %" PRIu64 " lost, %" PRIu64
	       " late, %" PRIu64 " counters stepped, statements tighter %" PRIu64 ", looser %" PRIu64
	       ", excluded %" PRIu64 ", %" PRIu64 " rates\n",
	       seen.migrations, seen.frozen, seen.stamps, seen.lost, seen.late, seen.stepped, seen.tighter, seen.looser,
	       seen.excluded, seen.rates);
	PROPERTY(seen.stepped > 1000 && seen.late > 1000 && seen.tighter > 1000 && seen.looser > 1000 &&
			 seen.excluded > 1000 && seen.rates > 1000,
		 "the world was too quiet");
	printf("[  PASSED  ] 1 test(s).\n");
	return 0;
}
