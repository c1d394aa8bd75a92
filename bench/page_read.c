/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a look at the clock costs: the reference page beside the raw counter, clock_gettime by vDSO, and clock_gettime
 * as the system call that it becomes while a guest's clock is on the page.
 *
 * Policy: each way is read in a loop of its own, the empty loop is subtracted, the median of several runs counts. The
 * page is one that the core has written for this machine's counter, and must show the right rate before it is timed.
 */
#include "instructions.h"

#include <seaclock/page.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define RUNS 9
#define RUN_NS 20000000ull

static struct sc_reference_tsc_page page;

/* Keeps the compiler from dropping a value that nobody uses. */
static inline void use(uint64_t value)
{
	__asm__ volatile("" : : "r"(value));
}

static void loop_empty(uint64_t iterations)
{
	for (; iterations > 0; iterations--)
		use(iterations);
}

static void loop_counter(uint64_t iterations)
{
	for (; iterations > 0; iterations--)
		use(sc_counter_read().v);
}

static void loop_page(uint64_t iterations)
{
	sc_ref_t now = sc_ref(0);

	for (; iterations > 0; iterations--) {
		use(sc_page_read(&page, &now));
		use(now.v);
	}
}

static void loop_vdso(uint64_t iterations)
{
	struct timespec now;

	for (; iterations > 0; iterations--) {
		clock_gettime(CLOCK_MONOTONIC, &now);
		use((uint64_t)now.tv_nsec);
	}
}

static void loop_system_call(uint64_t iterations)
{
	struct timespec now;

	for (; iterations > 0; iterations--) {
		syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &now);
		use((uint64_t)now.tv_nsec);
	}
}

static uint64_t clock_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC_RAW, &now);
	return (uint64_t)now.tv_sec * 1000000000ull + (uint64_t)now.tv_nsec;
}

/* Ticks of the counter per second, measured over 100 ms where the machine does not state them. */
static uint32_t counter_hz(void)
{
#if defined(__aarch64__)
	uint64_t hz;

	__asm__("mrs %0, cntfrq_el0" : "=r"(hz));
	return (uint32_t)hz;
#else
	const struct timespec pause = { .tv_nsec = 100000000 };
	uint64_t ns = clock_ns();
	uint64_t ticks = sc_counter_read().v;

	nanosleep(&pause, NULL);
	ticks = sc_counter_read().v - ticks;
	ns = clock_ns() - ns;
	return (uint32_t)sc_muldiv(ticks, 1000000000ull, ns);
#endif
}

/* True if the page advances as this machine's clock does, to 1 %. */
static bool page_keeps_pace(void)
{
	const struct timespec pause = { .tv_nsec = 50000000 };
	sc_ref_t first, last;
	uint64_t ns = clock_ns();
	uint64_t shown;

	if (!sc_page_read(&page, &first))
		return false;
	nanosleep(&pause, NULL);
	if (!sc_page_read(&page, &last))
		return false;
	ns = clock_ns() - ns;
	shown = (last.v - first.v) * SC_REF_NS;
	return shown > ns - ns / 100 && shown < ns + ns / 100;
}

/* Between its two looks at the clocks a busy machine may hold us up: one good look is proof enough. */
static bool page_is_right(void)
{
	for (unsigned int i = 0; i < RUNS; i++)
		if (page_keeps_pace())
			return true;
	return false;
}

static uint64_t run_ns(bench_loop loop, uint64_t iterations)
{
	uint64_t start = clock_ns();

	loop(iterations);
	return clock_ns() - start;
}

static int compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

/* Median time of one iteration, in ps, the loop itself included. */
static uint64_t iteration_ps(bench_loop loop)
{
	uint64_t iterations = 1000, runs[RUNS];

	while (run_ns(loop, iterations) < RUN_NS)
		iterations *= 2;
	for (unsigned int i = 0; i < RUNS; i++)
		runs[i] = run_ns(loop, iterations) * 1000 / iterations;
	qsort(runs, RUNS, sizeof(runs[0]), compare);
	return runs[RUNS / 2];
}

struct way {
	const char *name;
	bench_loop loop;
};

struct cost {
	uint64_t ps;
	int64_t instructions;
};

static struct cost measure(bench_loop loop, const struct cost *empty)
{
	struct cost cost = { .ps = iteration_ps(loop), .instructions = instructions_per_iteration(loop) };

	cost.ps -= cost.ps > empty->ps ? empty->ps : cost.ps;
	if (cost.instructions >= 0)
		cost.instructions -= empty->instructions;
	return cost;
}

static void print_cost(const char *name, const struct cost *cost, const struct cost *counter)
{
	uint64_t percent = counter->ps > 0 ? cost->ps * 100 / counter->ps : 0;

	printf("%-28s %8" PRIu64 ".%" PRIu64, name, cost->ps / 1000, cost->ps % 1000 / 100);
	if (cost->instructions >= 0)
		printf(" %13" PRId64, cost->instructions);
	else
		printf(" %13s", "not available");
	printf(" %8" PRIu64 ".%02" PRIu64 "\n", percent / 100, percent % 100);
}

static void print_all(void)
{
	static const struct way ways[] = {
		{ "raw counter", loop_counter },
		{ "reference page", loop_page },
		{ "clock_gettime, vDSO", loop_vdso },
		{ "clock_gettime, system call", loop_system_call },
	};
	struct cost costs[sizeof(ways) / sizeof(ways[0])];
	struct cost empty = { .ps = iteration_ps(loop_empty), .instructions = instructions_per_iteration(loop_empty) };

	printf("%-28s %10s %13s %11s\n", "one read", "ns", "instructions", "x counter");
	for (unsigned int i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		costs[i] = measure(ways[i].loop, &empty);
		print_cost(ways[i].name, &costs[i], &costs[0]);
	}
	printf("The page costs %" PRIu64 " %% of the vDSO's clock_gettime.\n",
	       costs[2].ps > 0 ? costs[1].ps * 100 / costs[2].ps : 0);
}

int main(void)
{
	uint32_t hz = counter_hz();
	struct sc_clock clock = { .hz = hz, .scale = sc_rate_scale(hz) };

	sc_page_write(&page, &clock, 1);
	if (!page_is_right()) {
		fprintf(stderr,
			"page_read: the page does not follow this machine's clock, its counter ticks at %u Hz\n", hz);
		return 1;
	}
	printf("counter %u Hz; median of %d runs; instructions in user space\n", hz, RUNS);
	print_all();
	return 0;
}
