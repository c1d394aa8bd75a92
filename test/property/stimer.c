/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Property: whatever a guest writes, whenever the monitor looks and wherever the guest moves, no timer fires early,
 * none is lost, no period fires twice, none fires more often than is allowed, and the deadline given to the host's
 * timer misses none that the guest can see.
 *
 * Policy: the model knows only what was written and which periods have passed; it shares no code with the core.
 */
#include <seaclock/core.h>

#include "random.h"

#define GUESTS 1500
#define STEPS 600
#define VCPUS 2
#define TIMERS (VCPUS * SC_STIMER_COUNT)
#define CONFIG (SC_STIMER_DIRECT | (uint64_t)SC_STIMER0_INTID << SC_STIMER_INTID_SHIFT)

struct model {
	bool running;
	bool periodic;
	uint64_t start; /* of the first period; for a one-shot timer 0 */
	uint64_t count;
	uint64_t seen;	    /* expiries that a delivery has answered for */
	uint64_t delivered; /* deliveries that the guest can tell from the last one */
	bool line;	    /* up until the next write */
};

struct world {
	struct random *random;
	struct sc_partition partition;
	uint64_t counter;
	struct model model[TIMERS];
};

static uint64_t reference(const struct world *world)
{
	return sc_clock_read(&world->partition.clock, sc_ticks(world->counter)).v;
}

static struct sc_stimer *timer_of(struct world *world, uint32_t i)
{
	return &world->partition.vcpu[i / SC_STIMER_COUNT].timer[i % SC_STIMER_COUNT];
}

/* Periods below 100 us expire at the first of their multiples that is not. */
static uint64_t stretch(const struct model *model)
{
	uint64_t periods = 1;

	while (periods * model->count < 1000 && model->count < 1000)
		periods++;
	return periods;
}

/* Expiries that should have happened by now. */
static uint64_t expiries(const struct model *model, uint64_t now)
{
	if (!model->running || now < model->start)
		return 0;
	return model->periodic ? (now - model->start) / (model->count * stretch(model)) : now >= model->count;
}

static void check_timer(struct world *world, uint32_t i, uint64_t now)
{
	struct model *model = &world->model[i];
	uint64_t due = expiries(model, now);
	struct sc_stimer *timer = timer_of(world, i);
	bool level;

	PROPERTY(timer->pending == (due > model->seen),
		 "timer %" PRIu32 ", period %" PRIu64 ", has %" PRIu64 " expiries, %" PRIu64 " seen, at %" PRIu64, i,
		 model->count, due, model->seen, now);
	PROPERTY(!model->periodic || !model->running ||
			 model->delivered + timer->coalesced + timer->pending == due * stretch(model),
		 "timer %" PRIu32 ", period %" PRIu64 ": %" PRIu64 " delivered, %" PRIu64
		 " coalesced, %d waits of %" PRIu64 " expiries",
		 i, model->count, model->delivered, timer->coalesced, timer->pending, due);
	if (!timer->pending || random_chance(world->random, 2))
		return;
	level = random_chance(world->random, 2);
	sc_stimer_delivered(timer, level);
	model->delivered += !model->line;
	model->line |= level;
	model->seen = due;
}

/* The first moment after now at which a timer is due that would be news to the guest; UINT64_MAX if none. */
static uint64_t next_due(struct world *world, uint64_t now)
{
	uint64_t next = UINT64_MAX, due;

	for (uint32_t i = 0; i < TIMERS; i++) {
		const struct model *model = &world->model[i];

		if (!model->running || model->line || timer_of(world, i)->pending)
			continue;
		if (!model->periodic && model->seen)
			continue;
		due = model->count;
		if (model->periodic &&
		    __builtin_add_overflow(model->start, model->count * stretch(model) * (expiries(model, now) + 1),
					   &due))
			due = UINT64_MAX;
		next = due < next ? due : next;
	}
	return next;
}

static void look(struct world *world)
{
	uint64_t now = reference(world), next;
	sc_ref_t deadline = { UINT64_MAX };

	sc_partition_expire(&world->partition, sc_ticks(world->counter));
	for (uint32_t i = 0; i < TIMERS; i++)
		check_timer(world, i, now);
	next = next_due(world, now);
	sc_partition_deadline(&world->partition, &deadline);
	PROPERTY(deadline.v == next && next > now, "at %" PRIu64 " the deadline is %" PRIu64 ", not %" PRIu64, now,
		 deadline.v, next);
}

static uint64_t pick_count(struct world *world, bool periodic, uint64_t now)
{
	uint64_t delta = random_chance(world->random, 8)   ? random_wide(world->random)
			 : random_chance(world->random, 3) ? random_between(world->random, 1, 2000)
							   : random_between(world->random, 1, 100000);

	if (periodic)
		return delta ? delta : 1;
	/* Past, present and future; never 0, which stops. */
	return random_chance(world->random, 4) ? random_between(world->random, 1, now + 1)
	       : now + delta > now	       ? now + delta
					       : UINT64_MAX;
}

static void write_timer(struct world *world)
{
	uint32_t i = (uint32_t)random_between(world->random, 0, TIMERS - 1);
	struct sc_stimer *timer = timer_of(world, i);
	struct model *model = &world->model[i];
	uint64_t now = reference(world);

	*model = (struct model){ .periodic = random_chance(world->random, 2) };
	model->running = !random_chance(world->random, 5);
	model->count = pick_count(world, model->periodic, now);
	model->start = model->periodic ? now : 0;
	if (!model->running) {
		sc_stimer_set_count(timer, 0, sc_ref(now));
		return;
	}
	/* In either order: COUNT with AutoEnable, or Enable last. */
	if (random_chance(world->random, 2)) {
		sc_stimer_set_config(timer, 0, sc_ref(now));
		sc_stimer_set_count(timer, model->count, sc_ref(now));
		sc_stimer_set_config(timer, CONFIG | SC_STIMER_ENABLE | (model->periodic ? SC_STIMER_PERIODIC : 0),
				     sc_ref(now));
	} else {
		sc_stimer_set_config(timer, CONFIG | SC_STIMER_AUTO_ENABLE | (model->periodic ? SC_STIMER_PERIODIC : 0),
				     sc_ref(now));
		sc_stimer_set_count(timer, model->count, sc_ref(now));
	}
}

static void migrate(struct world *world)
{
	struct sc_stop_point stop = sc_partition_stop(&world->partition, sc_ticks(world->counter));
	sc_ns_t gap = sc_ns(random_between(world->random, 0, 50000000));
	enum sc_clock_policy policy = random_chance(world->random, 2) ? SC_CLOCK_FREEZE : SC_CLOCK_ADVANCE;
	uint8_t record[SC_RECORD_MAX];
	sc_ticks_t counter;
	size_t size;

	PROPERTY(!sc_record_save(&world->partition, &stop, record, sizeof(record), &size), "does not save");
	PROPERTY(!sc_record_load(record, size, &world->partition, &stop), "does not load");
	PROPERTY(!sc_partition_resume(&world->partition, &stop, random_rate(world->random), policy, gap, &counter),
		 "resume");
	world->counter = counter.v;
}

/* To the next deadline, one tick before it or a few after, or anywhere. */
static void pass_time(struct world *world)
{
	const struct sc_clock *clock = &world->partition.clock;
	uint64_t ticks = random_between(world->random, 0, clock->hz / 1000);
	sc_ref_t deadline, now = sc_ref(reference(world));
	uint64_t until;

	if (random_chance(world->random, 2) && sc_partition_deadline(&world->partition, &deadline)) {
		until = sc_rate_ns_to_ticks(clock->hz, sc_ref_until(now, deadline)).v;
		if (until < clock->hz)
			ticks = until + random_between(world->random, 0, 3);
	}
	world->counter += ticks > 1 ? ticks - 1 : ticks;
}

static void live(struct random *random)
{
	struct world world = { .random = random, .counter = random_next(random) >> random_between(random, 8, 60) };

	PROPERTY(!sc_partition_init(&world.partition, VCPUS, random_rate(random), sc_ticks(world.counter)), "init");
	for (int i = 0; i < STEPS; i++) {
		if (random_chance(random, 4))
			write_timer(&world);
		if (random_chance(random, 10))
			migrate(&world);
		pass_time(&world);
		look(&world);
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
