/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How old a file is: what the operator allows, and how far a forged one can move a guest's clock.
 */
#include "snapshot_fixture.h"
#include "../fake/forged_file.h"
#include "../fake/source_script.h"

#include <errno.h>
#include <string.h>

#define S 1000000000ull
/* The furthest that a host can state. */
#define COUNTER_MAX (1ull << 61)
#define REALTIME_MAX (1ull << 62)

static const enum sc_clock_policy advance = SC_CLOCK_ADVANCE, freeze = SC_CLOCK_FREEZE;

static int restore_within(uint32_t max_gap_s, const enum sc_clock_policy *policy)
{
	const struct restore_options options = { .path = path, .policy = policy, .max_gap_s = max_gap_s };

	fake_host_use(&pair.host[1]);
	return restore_load(&pair.target, &pair.console, &options, &error);
}

/* A file that is older than the operator thinks is refused, if its age counts. */
static void test_max_gap(void **state)
{
	(void)state;
	pair_open(&pair, 25000000, 25000000, 1, SEED);
	assert_int_equal(save(SC_CLOCK_ADVANCE), 0);
	fake_time_advance(30 * S);
	assert_int_equal(restore_within(29, NULL), -ETIME);
	assert_string_equal(error.text, "pair was stopped for 30.000 s, and its clocks may count 29 s at most here; "
					"allow more with --max-gap");
	assert_int_equal(fake_host_entries(&pair.host[1]), 0);
	assert_int_equal(restore_within(29, &freeze), 0);
	machine_destroy(&pair.target);
	assert_int_equal(restore_within(31, NULL), 0);
	machine_destroy(&pair.target);
	assert_int_equal(restore_within(0, NULL), 0);
	machine_destroy(&pair.target);
}

/* What a forged file says of the host where it was saved, in the third of its frames. */
static void forge(struct buffer *frames, const size_t *ends, uint64_t counter, uint64_t realtime)
{
	uint8_t *statement = frames->data + ends[1] + FRAME_HEADER_SIZE;

	assert_int_equal(frames->data[ends[1]], FRAME_CLOCKED);
	source_script_write(statement, counter);
	source_script_write(statement + sizeof(uint64_t), realtime);
	forged_file_store_frames(path, frames->data, frames->size);
}

/* What the guest's clock counts, in ns. */
static uint64_t counted(const enum sc_clock_policy *policy, uint64_t before)
{
	uint64_t after;

	if (restore(policy, false))
		fail_msg("%s", error.text);
	after = pair_reference(&pair, &pair.target);
	machine_destroy(&pair.target);
	pair.target_lives = false;
	return (after - before) * SC_REF_NS;
}

static void test_forged(void **state)
{
	static const struct {
		uint64_t counter, realtime;
		bool possible;
	} cases[] = {
		{ COUNTER_MAX, 0, true },	{ 0, REALTIME_MAX, true },	   { COUNTER_MAX + 1, 0, false },
		{ 0, REALTIME_MAX + 1, false }, { UINT64_MAX, UINT64_MAX, false },
	};
	size_t ends[2000], count;
	struct buffer frames;
	uint64_t before, worst;

	(void)state;
	pair_open(&pair, 25000000, 1000000000, 1, SEED);
	pair_load_driver(&pair);
	assert_int_equal(save(SC_CLOCK_FREEZE), 0);
	before = pair.source.clock.stop.reference.v;
	fake_host_use(&pair.host[1]);
	worst = COUNTER_MAX + host_realtime().v;
	frames = file_frames(ends, &count);
	for (size_t n = 0; n < ARRAY_SIZE(cases); n++) {
		forge(&frames, ends, cases[n].counter, cases[n].realtime);
		if (cases[n].possible) {
			assert_in_range(counted(&advance, before), 0, worst);
			assert_in_range(counted(&freeze, before), 0, 2 * SC_REF_NS);
			if (cases[n].counter)
				assert_int_equal(restore_within(1, &advance), -ETIME);
		} else {
			assert_int_equal(restore(&advance, false), -EPROTO);
			assert_non_null(strstr(error.text, "its time is none that a host can have"));
		}
	}
	buffer_free(&frames);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, pair_set_up, pair_tear_down)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(test_max_gap),
		TEST(test_forged),
	};

	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
