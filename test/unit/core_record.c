/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The record: everything comes back, and nothing that no machine can have is let in.
 *
 * Policy: fields are changed in place by their offset in version 3 of the record, which therefore stands here once
 * more; a test that breaks when the layout changes is the point.
 */
#include <seaclock/core.h>

#include <stdlib.h>
#include <string.h>

#include "unit.h"

#define DIRECT (SC_STIMER_DIRECT | (uint64_t)SC_STIMER0_INTID << SC_STIMER_INTID_SHIFT)

enum {
	AT_MAGIC = 0,
	AT_VERSION = 4,
	AT_LENGTH = 8,
	AT_VCPUS = 12,
	AT_HZ = 16,
	AT_SEQUENCE = 20,
	AT_OFFSET = 24,
	AT_COUNTER = 32,
	AT_REFERENCE = 40,
	AT_REFERENCE_TSC = 56,
	AT_GUEST_CLOCK = 64,
	AT_HOLDER = 120,
	AT_TIMERS = 124,
	TIMER_SIZE = 43,
	TIMER_COUNT = 8,
	TIMER_DUE = 16,
	TIMER_EXPIRED = 24,
	TIMER_COALESCED = 32,
	TIMER_ARMED = 40,
	TIMER_PENDING = 41,
	TIMER_ASSERTED = 42,
	SYNIC_SINT = 24,
	SYNIC_SIZE = 152,
	AT_SYNIC = AT_TIMERS + 4 * TIMER_SIZE,
};

static struct sc_partition partition;
static struct sc_stop_point stop;
static uint8_t record[SC_RECORD_MAX];
static size_t size;

/* Two vCPUs with timers in every state: one-shot, periodic and pending, delivered as a level, a message, stopped. */
static int set_up(void **state)
{
	struct sc_stimer *timer = partition.vcpu[0].timer;

	(void)state;
	assert_int_equal(sc_partition_init(&partition, 2, 62500000, sc_ticks(777)), 0);
	partition.guest_os_id = 0x8100060c00;
	partition.reference_tsc = 0x40001001;
	partition.page_sequence = 12;
	partition.guest_clock = SC_GUEST_CLOCK_DECLARED | SC_GUEST_CLOCK_ON_PAGE;
	for (uint32_t i = 0; i < 5; i++)
		partition.crash[i] = 0x1111111111111111 * i;
	partition.crash_ctl = SC_CRASH_MESSAGE;
	partition.held = true;
	partition.holder = 1;
	sc_stimer_set_config(&timer[0], DIRECT | SC_STIMER_AUTO_ENABLE, sc_ref(0));
	sc_stimer_set_count(&timer[0], 1ull << 40, sc_ref(0));
	sc_stimer_set_config(&timer[1], DIRECT | SC_STIMER_AUTO_ENABLE | SC_STIMER_PERIODIC, sc_ref(0));
	sc_stimer_set_count(&timer[1], 1000, sc_ref(7));
	sc_stimer_set_config(&timer[2], DIRECT | SC_STIMER_AUTO_ENABLE, sc_ref(0));
	sc_stimer_set_count(&timer[2], 10, sc_ref(0));
	sc_stimer_set_count(&timer[3], 20, sc_ref(0));
	sc_stimer_set_config(&timer[3], SC_STIMER_ENABLE | 5ull << SC_STIMER_SINT_SHIFT, sc_ref(0));
	assert_true(sc_partition_expire(&partition, sc_ticks(62500000)));
	sc_stimer_delivered(&timer[2], true);
	sc_stimer_set_config(&partition.vcpu[1].timer[3], DIRECT | SC_STIMER_ENABLE, sc_ref(0));
	partition.vcpu[0].synic = (struct sc_synic){ SC_SCONTROL_ENABLE, 0x40002001, 0x40003001, { SC_SINT_RESET } };
	for (uint32_t n = 1; n < SC_SINT_COUNT; n++)
		partition.vcpu[0].synic.sint[n] = SC_SINT_POLLING | n;
	stop = sc_partition_stop(&partition, sc_ticks(62500001));
	assert_int_equal(sc_record_save(&partition, &stop, record, sizeof(record), &size), 0);
	return 0;
}

static void assert_same_timer(const struct sc_stimer *a, const struct sc_stimer *b)
{
	assert_int_equal(a->config, b->config);
	assert_int_equal(a->count, b->count);
	assert_int_equal(a->due.v, b->due.v);
	assert_int_equal(a->expired.v, b->expired.v);
	assert_int_equal(a->coalesced, b->coalesced);
	assert_int_equal(a->armed, b->armed);
	assert_int_equal(a->pending, b->pending);
	assert_int_equal(a->asserted, b->asserted);
}

static void everything_comes_back(void **state)
{
	struct sc_partition loaded;
	struct sc_stop_point loaded_stop;

	(void)state;
	memset(&loaded, 0xee, sizeof(loaded));
	assert_int_equal(sc_record_load(record, size, &loaded, &loaded_stop), 0);
	assert_int_equal(loaded_stop.hz, stop.hz);
	assert_int_equal(loaded_stop.counter.v, stop.counter.v);
	assert_int_equal(loaded_stop.reference.v, stop.reference.v);
	assert_int_equal(loaded.clock.hz, partition.clock.hz);
	assert_int_equal(loaded.clock.scale, partition.clock.scale);
	assert_int_equal(loaded.clock.offset, partition.clock.offset);
	assert_int_equal(loaded.vcpu_count, 2);
	assert_int_equal(loaded.page_sequence, 12);
	assert_int_equal(loaded.guest_os_id, partition.guest_os_id);
	assert_int_equal(loaded.reference_tsc, partition.reference_tsc);
	assert_int_equal(loaded.guest_clock, partition.guest_clock);
	assert_memory_equal(loaded.crash, partition.crash, sizeof(loaded.crash));
	assert_int_equal(loaded.crash_ctl, partition.crash_ctl);
	assert_int_equal(loaded.asked, SC_ASK_NOTHING);
	assert_true(loaded.held);
	assert_int_equal(loaded.holder, 1);
	for (uint32_t i = 0; i < SC_VCPU_MAX * SC_STIMER_COUNT; i++)
		assert_same_timer(&loaded.vcpu[i / SC_STIMER_COUNT].timer[i % SC_STIMER_COUNT],
				  &partition.vcpu[i / SC_STIMER_COUNT].timer[i % SC_STIMER_COUNT]);
	for (uint32_t vp = 0; vp < SC_VCPU_MAX; vp++)
		assert_memory_equal(&loaded.vcpu[vp].synic, &partition.vcpu[vp].synic, sizeof(struct sc_synic));
	assert_true(loaded.vcpu[0].timer[1].pending);
	assert_int_equal(loaded.vcpu[0].timer[1].expired.v, 1007);
	assert_int_equal(loaded.vcpu[0].timer[1].coalesced, 9998);
	assert_true(loaded.vcpu[0].timer[2].asserted);
}

static void layout_is_version_3(void **state)
{
	static const uint8_t head[] = { 'S', 'R', 'E', 'C', 3, 0, 0,	0,    0x04, 0x03,
					0,   0,	  2,   0,   0, 0, 0xa0, 0xac, 0xb9, 3 };

	(void)state;
	assert_int_equal(size, AT_TIMERS + 8 * TIMER_SIZE + 2 * SYNIC_SIZE);
	assert_memory_equal(record, head, sizeof(head));
}

/* Loads a copy of exactly `length` bytes; on an error the outputs must be as they were. */
static int load(const void *bytes, size_t length)
{
	struct sc_partition loaded, before;
	struct sc_stop_point loaded_stop, before_stop;
	uint8_t *copy = malloc(length ? length : 1);
	int err;

	assert_non_null(copy);
	memcpy(copy, bytes, length);
	memset(&loaded, 0x5a, sizeof(loaded));
	memset(&loaded_stop, 0x5a, sizeof(loaded_stop));
	memcpy(&before, &loaded, sizeof(before));
	memcpy(&before_stop, &loaded_stop, sizeof(before_stop));
	err = sc_record_load(copy, length, &loaded, &loaded_stop);
	free(copy);
	if (err) {
		assert_memory_equal(&loaded, &before, sizeof(before));
		assert_memory_equal(&loaded_stop, &before_stop, sizeof(before_stop));
	}
	return err;
}

static void truncations_are_short(void **state)
{
	(void)state;
	for (size_t length = 0; length < size; length++)
		assert_int_equal(load(record, length), -SC_E_SHORT);
	assert_int_equal(load(record, size + 1), -SC_E_VALUE);
}

static void every_flipped_byte_is_refused_or_sound(void **state)
{
	uint8_t again[SC_RECORD_MAX];
	struct sc_partition loaded;
	struct sc_stop_point loaded_stop;
	size_t again_size;

	(void)state;
	for (size_t at = 0; at < size; at++)
		for (int flip = 1; flip < 256; flip++) {
			record[at] ^= flip;
			if (!load(record, size)) {
				assert_int_equal(sc_record_load(record, size, &loaded, &loaded_stop), 0);
				assert_int_equal(
					sc_record_save(&loaded, &loaded_stop, again, sizeof(again), &again_size), 0);
				assert_int_equal(again_size, size);
				assert_memory_equal(again, record, size);
			}
			record[at] ^= flip;
		}
}

static void put(size_t at, uint64_t value, size_t bytes)
{
	for (size_t i = 0; i < bytes; i++)
		record[at + i] = (uint8_t)(value >> 8 * i);
}

static void versions_and_heads(void **state)
{
	static const struct {
		size_t at, bytes;
		uint64_t value;
		int err;
	} cases[] = {
		{ AT_MAGIC, 4, 0, -SC_E_VALUE },
		{ AT_VERSION, 4, 0, -SC_E_VERSION },
		{ AT_VERSION, 4, 1, -SC_E_VERSION },
		{ AT_VERSION, 4, 2, -SC_E_VERSION },
		{ AT_VERSION, 4, 4, -SC_E_VERSION },
		{ AT_LENGTH, 4, 0, -SC_E_VALUE },
		{ AT_LENGTH, 4, UINT32_MAX, -SC_E_VALUE },
		{ AT_VCPUS, 4, 0, -SC_E_VALUE },
		{ AT_VCPUS, 4, SC_VCPU_MAX + 1, -SC_E_VALUE },
		{ AT_VCPUS, 4, UINT32_MAX, -SC_E_VALUE },
		{ AT_HZ, 4, 0, -SC_E_VALUE },
		{ AT_HZ, 4, SC_RATE_MIN_HZ - 1, -SC_E_VALUE },
		{ AT_HZ, 4, SC_RATE_MAX_HZ + 1, -SC_E_VALUE },
		{ AT_HZ, 4, 25000000, -SC_E_VALUE },
		{ AT_SEQUENCE, 4, 0, -SC_E_VALUE },
		{ AT_SEQUENCE, 4, UINT32_MAX, -SC_E_VALUE },
		{ AT_OFFSET, 8, 5, -SC_E_VALUE },
		{ AT_COUNTER, 8, 0, -SC_E_VALUE },
		{ AT_REFERENCE, 8, UINT64_MAX, -SC_E_VALUE },
		{ AT_GUEST_CLOCK, 8, 16, -SC_E_VALUE },
		{ AT_HOLDER, 4, 0, 0 },
		{ AT_HOLDER, 4, 1, 0 },
		{ AT_HOLDER, 4, 3, -SC_E_VALUE },
		{ AT_HOLDER, 4, UINT32_MAX, -SC_E_VALUE },
		/* Without a page there need not have been a sequence. */
		{ AT_REFERENCE_TSC, 8, 0x1000, 0 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		set_up(state);
		put(cases[i].at, cases[i].value, cases[i].bytes);
		assert_int_equal(load(record, size), cases[i].err);
	}
}

/* A clock that stopped at these readings, which belong together. */
static int load_stopped(uint64_t counter, uint64_t reference)
{
	const struct sc_clock from_0 = { .hz = partition.clock.hz, .scale = partition.clock.scale };

	put(AT_COUNTER, counter, 8);
	put(AT_REFERENCE, reference, 8);
	put(AT_OFFSET, reference - sc_clock_read(&from_0, sc_ticks(counter)).v, 8);
	return load(record, size);
}

/* What would wrap in the life of a guest. */
static void far_times_are_refused(void **state)
{
	static const struct {
		uint64_t counter, reference;
		int err;
	} cases[] = {
		{ 1, 1ull << 40, 0 },
		{ (1ull << 63) - 1, 1ull << 40, 0 },
		{ 1ull << 63, 1ull << 40, -SC_E_VALUE },
		{ UINT64_MAX, 1ull << 40, -SC_E_VALUE },
		{ 1, (1ull << 63) - 1, 0 },
		{ 1, 1ull << 63, -SC_E_VALUE },
		{ 1, UINT64_MAX, -SC_E_VALUE },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		set_up(state);
		assert_int_equal(load_stopped(cases[i].counter, cases[i].reference), cases[i].err);
	}
}

static void impossible_timers_are_refused(void **state)
{
	static const struct {
		size_t timer, at, bytes;
		uint64_t value;
	} cases[] = {
		{ 0, 0, 8, 1ull << 63 | DIRECT | SC_STIMER_ENABLE },
		{ 0, 0, 8, SC_STIMER_DIRECT | 27 << SC_STIMER_INTID_SHIFT | SC_STIMER_ENABLE },
		{ 0, 0, 8, SC_STIMER_ENABLE },
		{ 0, 0, 8, DIRECT },
		{ 0, TIMER_COUNT, 8, 0 },
		{ 0, TIMER_DUE, 8, 1 },
		{ 0, TIMER_ARMED, 1, 0 },
		{ 0, TIMER_ARMED, 1, 2 },
		{ 0, TIMER_PENDING, 1, 1 },
		{ 0, TIMER_PENDING, 1, 255 },
		/* A periodic timer's expiry lies at least a period after 0. */
		{ 1, TIMER_DUE, 8, 999 },
		{ 1, TIMER_DUE, 8, 1008 },
		/* The expiry that waits: in the past, whole periods before the next, at least one after 0. */
		{ 0, TIMER_EXPIRED, 8, 1 },
		{ 1, TIMER_EXPIRED, 8, 0 },
		{ 1, TIMER_EXPIRED, 8, 7 },
		{ 1, TIMER_EXPIRED, 8, 1008 },
		{ 1, TIMER_EXPIRED, 8, 10000007 },
		{ 2, TIMER_EXPIRED, 8, 10 },
		{ 3, TIMER_EXPIRED, 8, 0 },
		{ 3, TIMER_EXPIRED, 8, 19 },
		{ 1, TIMER_PENDING, 1, 0 },
		/* More expiries than time. */
		{ 0, TIMER_COALESCED, 8, 1 },
		{ 1, TIMER_COALESCED, 8, 10000 },
		{ 1, TIMER_COALESCED, 8, UINT64_MAX },
		{ 3, TIMER_COALESCED, 8, 1 },
		/* A message without a SINT, or with a line. */
		{ 3, 0, 8, 0 },
		{ 3, 0, 8, SC_STIMER_PERIODIC | 5ull << SC_STIMER_SINT_SHIFT },
		{ 3, TIMER_COUNT, 8, 0 },
		{ 3, TIMER_ASSERTED, 1, 1 },
		/* Asserted with an INTID that is no timer's. */
		{ 2, 0, 8, SC_STIMER_DIRECT | 5 << SC_STIMER_INTID_SHIFT },
		{ 2, 0, 8, SC_STIMER_DIRECT | 30 << SC_STIMER_INTID_SHIFT },
		{ 2, 0, 8, 0 },
		{ 2, TIMER_DUE, 8, 10 },
		{ 3, TIMER_ARMED, 1, 1 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		set_up(state);
		put(AT_TIMERS + cases[i].timer * TIMER_SIZE + cases[i].at, cases[i].value, cases[i].bytes);
		assert_int_equal(load(record, size), -SC_E_VALUE);
	}
}

static void impossible_synics_are_refused(void **state)
{
	static const uint64_t sints[] = {
		SC_SINT_RESET | SC_SINT_AUTO_EOI, 0, 15, 27, 32, SC_SINT_RESET | SC_SINT_PROXY
	};

	for (size_t i = 0; i < ARRAY_SIZE(sints); i++) {
		set_up(state);
		put(AT_SYNIC + SYNIC_SINT + 8 * 15, sints[i], 8);
		assert_int_equal(load(record, size), -SC_E_VALUE);
	}
	put(AT_SYNIC + SYNIC_SINT + 8 * 15, 20, 8);
	assert_int_equal(load(record, size), 0);
}

static void save_needs_room(void **state)
{
	uint8_t small[SC_RECORD_MAX];
	size_t unchanged = 42;

	(void)state;
	assert_int_equal(sc_record_save(&partition, &stop, small, size - 1, &unchanged), -SC_E_SHORT);
	assert_int_equal(sc_record_save(&partition, &stop, small, 0, &unchanged), -SC_E_SHORT);
	assert_int_equal(unchanged, 42);
	assert_int_equal(sc_record_save(&partition, &stop, small, size, &unchanged), 0);
	assert_int_equal(unchanged, size);
}

static void largest_machine_fits(void **state)
{
	(void)state;
	assert_int_equal(sc_partition_init(&partition, SC_VCPU_MAX, 25000000, sc_ticks(0)), 0);
	stop = sc_partition_stop(&partition, sc_ticks(5));
	assert_int_equal(sc_record_save(&partition, &stop, record, sizeof(record), &size), 0);
	assert_int_equal(load(record, size), 0);
}

static void stop_point_must_be_the_clocks(void **state)
{
	(void)state;
	stop.reference.v++;
	assert_int_equal(sc_record_save(&partition, &stop, record, sizeof(record), &size), -SC_E_VALUE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(everything_comes_back, set_up),
		cmocka_unit_test_setup(layout_is_version_3, set_up),
		cmocka_unit_test_setup(truncations_are_short, set_up),
		cmocka_unit_test_setup(every_flipped_byte_is_refused_or_sound, set_up),
		cmocka_unit_test(versions_and_heads),
		cmocka_unit_test(far_times_are_refused),
		cmocka_unit_test(impossible_timers_are_refused),
		cmocka_unit_test(impossible_synics_are_refused),
		cmocka_unit_test_setup(save_needs_room, set_up),
		cmocka_unit_test_setup(largest_machine_fits, set_up),
		cmocka_unit_test_setup(stop_point_must_be_the_clocks, set_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
