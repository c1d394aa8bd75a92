/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Stock kernels go on at other rates, repaired by the transparent level: of each known series one, CHANGES (300) times
 * together, of a seed that is printed, under one of the loads; SEED repeats a run. Most lives are brief, and the guest
 * tells of every tenth: what a change does wrong stays.
 */
#include "../../repair/known.h"
#include "../../repair/series.h"
#include "../property/random.h"
#include "fixture/images.h"
#include "fixture/port.h"
#include "fixture/run.h"

#include <string.h>

#define SERIES_MAX 8u
#define CHANGES_MAX (CLOCKS_LIVES_MAX - 1)
#define TRIES_MAX 200
#define TOLD_EVERY 10u
#define LIFE_MIN_MS 500
#define LIFE_MAX_MS 1000
#define BRIEF_MAX_MS 100
#define LAST_MS 2000 /* for the probe's totals */
#define PAUSE_NS 1000000
#define TICKS_BITS_MAX 52	    /* the kernel knows of 56 */
#define COUNTED_NS_MAX (1ull << 60) /* what the judge can tell of */

/* Their ticks last whole ns, or are as close to that as a hundredth of a ppm. */
static const uint32_t rates[] = { 5000000,   10000000,	12500000,  19230769,  20000000,	 24390243,  25000000,
				  31250000,  33333333,	50000000,  62500000,  76923076,	 100000000, 125000000,
				  142857142, 200000000, 250000000, 500000000, 1000000000 };

/* What the counter shows after a change. */
enum count {
	COUNT_GOES_ON, /* what it has shown */
	COUNT_OF_TIME, /* the same time in other ticks */
	COUNT_ANY,
};

struct change {
	struct run run;
	struct port port;
	struct sc_guest_port seen;
	struct sc_kernel kernel;
	struct sc_arena arena;
	unsigned int busy; /* how often it was not the moment */
};

static uint32_t number_of(const char *name, uint32_t otherwise)
{
	const char *text = getenv(name);

	return text ? (uint32_t)strtoul(text, NULL, 10) : otherwise;
}

static bool had_lately(const struct run *run, uint32_t hz)
{
	for (size_t n = run->count; n && run->count - n < TOLD_EVERY; n--)
		if (run->lives[n - 1].hz == hz)
			return true;
	return false;
}

/* The probe tells lives apart by their rates, and may have seen nothing of brief ones. */
static uint32_t rate_other_than_lately(const struct run *run, struct random *random)
{
	uint32_t hz;

	do
		hz = rates[random_next(random) % ARRAY_SIZE(rates)];
	while (had_lately(run, hz));
	return hz;
}

/* Stops the guest for the first time. False if its kernel is newer than the tables. */
static bool change_begin(struct change *change, const char *image, const char *cpu, const struct load *load,
			 uint32_t hz)
{
	struct sc_refusal why;

	*change = (struct change){ .arena = { .memory = malloc(SC_REPAIR_ARENA_SIZE), .size = SC_REPAIR_ARENA_SIZE } };
	assert_non_null(change->arena.memory);
	run_begin(&change->run, image, cpu, load, hz);
	run_stop(&change->run);
	change->seen = port_open(&change->port, &change->run.guest, &change->run.state);
	int result = sc_kernel_find(&change->seen, &change->arena, &change->kernel, &why);

	if (images_is_new(change->run.release, result, &why))
		return false;
	if (result)
		fail_msg("%s is refused: %s", change->run.release, why.text);
	return true;
}

static void change_end(struct change *change)
{
	stream_close(&change->run.state);
	run_end(&change->run);
	free(change->arena.memory);
}

/* Lets a guest that is stopped run on as it is. */
static void change_not_now(struct change *change)
{
	const struct timespec pause = { .tv_nsec = PAUSE_NS };

	stream_close(&change->run.state);
	emulator_continue(&change->run.emulator);
	nanosleep(&pause, NULL);
	run_stop(&change->run);
	port_update(&change->port, &change->run.state);
}

static uint64_t ticks_shown(const struct change *change, uint32_t hz, enum count count, uint64_t any)
{
	const uint64_t tick_ns = 1000000000 / hz;
	uint64_t ticks = any;

	if (count == COUNT_GOES_ON)
		ticks = change->run.lives[change->run.count - 1].last;
	else if (count == COUNT_OF_TIME)
		ticks = (uint64_t)change->run.now / tick_ns;
	return ticks <= COUNTED_NS_MAX / tick_ns ? ticks : any;
}

/* Plans it, a moment later as often as it takes; returns what the counter then shows. */
static uint64_t change_plan(struct change *change, uint32_t hz, enum count count, uint64_t any, struct sc_plan *plan)
{
	const struct clocks_life *life = &change->run.lives[change->run.count - 1];
	struct sc_refusal why;
	uint64_t ticks = 0;
	int result = -SC_REFUSED_BUSY;

	for (unsigned int n = 0; n < TRIES_MAX && result == -SC_REFUSED_BUSY; n++) {
		if (n) {
			printf("not at once: %s\n", why.text);
			change->busy++;
			change_not_now(change);
		}
		ticks = ticks_shown(change, hz, count, any);
		struct sc_rate_change to = { life->hz, hz, life->last, ticks };

		change->arena.used = 0;
		result = sc_plan_make(&change->kernel, &to, &change->arena, plan, &why);
	}
	if (result)
		fail_msg("change %zu, from %u to %u Hz, is refused: %s", change->run.count, life->hz, hz, why.text);
	return ticks;
}

static void change_make(struct change *change, struct random *random)
{
	struct run *run = &change->run;
	const struct clocks_life *life = &run->lives[run->count - 1];
	const uint32_t hz = rate_other_than_lately(run, random);
	const enum count count = (enum count)random_between(random, COUNT_GOES_ON, COUNT_ANY);
	const uint64_t any = random_next(random) >> random_between(random, 64 - TICKS_BITS_MAX, 40);
	struct sc_refusal why;
	struct sc_plan plan;
	const uint64_t ticks = change_plan(change, hz, count, any, &plan);

	printf("change %zu: %u Hz at %" PRIu64 " to %u Hz at %" PRIu64 ", %u writes\n", run->count, life->hz,
	       life->last, hz, ticks, plan.write_count);
	if (sc_plan_apply(&change->seen, &plan, &why))
		fail_msg("change %zu cannot be carried out: %s", run->count, why.text);
	for (uint32_t vcpu = 0; vcpu < EMULATOR_VCPUS; vcpu++)
		if (plan.vcpus[vcpu].on)
			port_set_timers(&run->state, vcpu, &plan.vcpus[vcpu].timers);
	run_start(run, hz, (int64_t)ticks * (1000000000 / hz));
}

static void change_live(struct change *change, struct random *random, bool is_told, bool is_last)
{
	if (!is_told)
		run_go_on_briefly(&change->run, (unsigned int)random_between(random, 0, BRIEF_MAX_MS));
	else
		run_go_on(&change->run, (unsigned int)random_between(random, LIFE_MIN_MS, LIFE_MAX_MS));
	if (is_last)
		run_go_on(&change->run, LAST_MS);
	run_stop(&change->run);
	port_update(&change->port, &change->run.state);
}

static bool is_same(const struct sc_series *a, const struct sc_series *b)
{
	return a->major == b->major && a->minor == b->minor;
}

/* The series of the table of known layouts, in its order, in room for SERIES_MAX. */
static size_t series_list(struct sc_series *series)
{
	size_t count = 0;

	for (uint32_t n = 0; n < sc_known_row_count && count < SERIES_MAX; n++)
		if (!count || !is_same(&series[count - 1], &sc_known_rows[n].series))
			series[count++] = sc_known_rows[n].series;
	return count;
}

/* The same for each series that there is a kernel of. */
static uint32_t changes_of_each(void)
{
	static struct images images;
	struct sc_series series[SERIES_MAX];
	const size_t count = series_list(series);
	uint32_t there = 0;

	for (size_t n = 0; n < count; n++) {
		images_find(&images, &series[n]);
		there += images.count > 0;
	}
	const uint32_t each = number_of("CHANGES", 300) / (there ? there : 1);

	return each < CHANGES_MAX ? each : CHANGES_MAX;
}

static void rates_change(void **state)
{
	static struct images images;
	struct random random = { number_of("SEED", (uint32_t)time(NULL)) };
	struct change change;

	images_find(&images, *state);
	if (!images.count) {
		printf("there is no kernel of this series: make kernels downloads one\n");
		skip();
	}
	const uint32_t changes = changes_of_each();

	printf("SEED=%" PRIu64 ", %u changes\n", random.state, changes);
	const char *image = images.path[random_next(&random) % images.count];

	const char *cpu = images_need_new_cpu(image) || random_chance(&random, 3) ? EMULATOR_NEW_CPU : EMULATOR_OLD_CPU;
	const struct load *load = load_any(random_next(&random));

	if (!change_begin(&change, image, cpu, load, rates[random_next(&random) % ARRAY_SIZE(rates)])) {
		change_end(&change);
		skip();
	}
	printf("%s on %s with %s\n", change.run.release, cpu, load->name);
	for (uint32_t n = 0; n < changes; n++) {
		change_make(&change, &random);
		change_live(&change, &random, n % TOLD_EVERY == TOLD_EVERY - 1 || n == changes - 1, n == changes - 1);
	}
	run_expect_right(&change.run);
	printf("%u changes, %u times not at once\n", changes, change.busy);
	change_end(&change);
}

int main(void)
{
	static char names[SERIES_MAX][sizeof("rates_change_of_") + SERIES_TEXT_MAX];
	static struct sc_series series[SERIES_MAX];
	struct CMUnitTest tests[SERIES_MAX];
	const size_t count = series_list(series);

	for (size_t n = 0; n < count; n++) {
		char text[SERIES_TEXT_MAX];

		sc_series_text(&series[n], text);
		(void)snprintf(names[n], sizeof(names[n]), "rates_change_of_%s", text);
		tests[n] = (struct CMUnitTest){ names[n], rates_change, process_set_up, process_tear_down, &series[n] };
	}
	return process_run_tests(tests, count);
}
