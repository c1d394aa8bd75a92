/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The reference TSC page: the writer's sequence, and the real reader on this machine's counter, alone and against a
 * writer in another thread.
 *
 * Policy: the race is bounded by iterations; a torn read is recognised by a time that neither clock can give.
 */
#include <seaclock/page.h>

#include <pthread.h>
#include <signal.h>
#include <sys/time.h>

#include "unit.h"

#define WRITES 300000
#define INTERRUPTS 2000
#define BASE (1ull << 60)

static void sequence_skips_the_doubtful_values(void **state)
{
	(void)state;
	assert_int_equal(sc_page_next_sequence(0), 1);
	assert_int_equal(sc_page_next_sequence(1), 2);
	assert_int_equal(sc_page_next_sequence(0xfffffffd), 0xfffffffe);
	assert_int_equal(sc_page_next_sequence(0xfffffffe), 1);
	assert_int_equal(sc_page_next_sequence(0xffffffff), 1);
}

static void holds_the_clock(void **state)
{
	struct sc_reference_tsc_page page = { .reserved = 77 };
	struct sc_clock clock;

	(void)state;
	assert_int_equal(sc_clock_set(&clock, 62500000, sc_ticks(1000), sc_ref(50)), 0);
	sc_page_write(&page, &clock, 9);
	assert_int_equal(page.sequence, 9);
	assert_int_equal(page.scale, clock.scale);
	assert_int_equal(page.offset, clock.offset);
	assert_int_equal(page.reserved, 77);
	sc_page_invalidate(&page);
	assert_int_equal(page.sequence, SC_PAGE_SEQUENCE_INVALID);
}

static void slow_counter_makes_it_invalid(void **state)
{
	struct sc_reference_tsc_page page = { .sequence = 5, .scale = 1, .offset = 2 };
	struct sc_clock clock;
	sc_ref_t now = sc_ref(42);

	(void)state;
	assert_int_equal(sc_clock_set(&clock, SC_REF_HZ, sc_ticks(0), sc_ref(0)), 0);
	sc_page_write(&page, &clock, 6);
	assert_int_equal(page.sequence, SC_PAGE_SEQUENCE_INVALID);
	assert_false(sc_page_read(&page, &now));
	assert_int_equal(now.v, 42);
}

static void reader_follows_the_counter(void **state)
{
	struct sc_reference_tsc_page page = { 0 };
	struct sc_clock clock;
	sc_ticks_t before, after;
	sc_ref_t now = sc_ref(0);

	(void)state;
	assert_int_equal(sc_clock_set(&clock, 1000000000, sc_counter_read(), sc_ref(1000000)), 0);
	sc_page_write(&page, &clock, 1);
	for (int i = 0; i < 10000; i++) {
		before = sc_counter_read();
		assert_true(sc_page_read(&page, &now));
		after = sc_counter_read();
		assert_in_range(now.v, sc_clock_read(&clock, before).v, sc_clock_read(&clock, after).v);
	}
}

struct race {
	struct sc_reference_tsc_page page;
	struct sc_clock clock[2];
	sc_ticks_t start;
	int finished;
};

/* Both clocks show BASE at `start`. */
static void race_init(struct race *race)
{
	*race = (struct race){ .start = sc_counter_read() };
	assert_int_equal(sc_clock_set(&race->clock[0], 1000000000, race->start, sc_ref(BASE)), 0);
	assert_int_equal(sc_clock_set(&race->clock[1], 50000000, race->start, sc_ref(BASE)), 0);
}

/*
 * The clocks show nearly the same time, by very different scales and offsets: the scale of one with the offset of the
 * other is wrong by about a fifth of the counter.
 */
static bool read_torn(const struct race *race)
{
	sc_ref_t now;

	if (!sc_page_read(&race->page, &now))
		return false;
	return now.v < BASE || now.v - BASE > race->start.v / 16;
}

static void *write_both_clocks(void *argument)
{
	struct race *race = argument;
	uint32_t sequence = 0xfffffff0;

	for (int i = 0; i < WRITES; i++) {
		sequence = sc_page_next_sequence(sequence);
		sc_page_write(&race->page, &race->clock[i % 2], sequence);
	}
	__atomic_store_n(&race->finished, 1, __ATOMIC_RELEASE);
	return NULL;
}

static void reader_never_sees_half_a_clock(void **state)
{
	struct race race;
	uint64_t torn = 0;
	pthread_t writer;

	(void)state;
	race_init(&race);
	assert_int_equal(pthread_create(&writer, NULL, write_both_clocks, &race), 0);
	while (!__atomic_load_n(&race.finished, __ATOMIC_ACQUIRE))
		torn += read_torn(&race);
	assert_int_equal(pthread_join(writer, NULL), 0);
	assert_int_equal(torn, 0);
}

static struct race interrupted;
static volatile sig_atomic_t interrupts, interrupts_torn;

static void read_in_handler(int signal_number)
{
	(void)signal_number;
	interrupts++;
	interrupts_torn += read_torn(&interrupted);
}

/* Two threads seldom meet within a write; a reader that stops the writer at any instruction does so often. */
static void reader_may_interrupt_the_writer(void **state)
{
	const struct itimerval often = { { 0, 100 }, { 0, 100 } }, never = { { 0, 0 }, { 0, 0 } };
	struct sigaction action = { .sa_handler = read_in_handler, .sa_flags = SA_RESTART };
	uint32_t sequence = 0;

	(void)state;
	race_init(&interrupted);
	assert_int_equal(sigaction(SIGALRM, &action, NULL), 0);
	assert_int_equal(setitimer(ITIMER_REAL, &often, NULL), 0);
	while (interrupts < INTERRUPTS) {
		sequence = sc_page_next_sequence(sequence);
		sc_page_write(&interrupted.page, &interrupted.clock[sequence % 2], sequence);
	}
	assert_int_equal(setitimer(ITIMER_REAL, &never, NULL), 0);
	assert_int_equal(interrupts_torn, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sequence_skips_the_doubtful_values), cmocka_unit_test(holds_the_clock),
		cmocka_unit_test(slow_counter_makes_it_invalid),      cmocka_unit_test(reader_follows_the_counter),
		cmocka_unit_test(reader_never_sees_half_a_clock),     cmocka_unit_test(reader_may_interrupt_the_writer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
