// SPDX-License-Identifier: BSD-2-Clause
/* The load that measures a guest's disk: where its requests go. */
#include "unit.h"

#include <string.h>

#include "../guest/iops_walk.h"

#define SIZE 4096u
#define PLACES 1000u

static void a_disk_has_room_for_a_request(void **state)
{
	struct walk walk;

	(void)state;
	assert_true(walk_begin(&walk, true, SIZE, SIZE));
	assert_int_equal(walk_next(&walk), 0);
	assert_false(walk_begin(&walk, true, SIZE, SIZE - 1));
	assert_false(walk_begin(&walk, false, 0, SIZE));
}

static void requests_in_order_begin_again_at_the_end(void **state)
{
	struct walk walk;

	(void)state;
	assert_true(walk_begin(&walk, false, SIZE, PLACES * SIZE + SIZE / 2));
	for (uint64_t n = 0; n < 3 * PLACES; n++)
		assert_int_equal(walk_next(&walk), n % PLACES * SIZE);
}

/* Spread over all of the disk, and seldom one behind the other. */
static void random_requests_go_everywhere(void **state)
{
	static uint32_t seen[PLACES];
	uint64_t last = 0, neighbours = 0, unseen = 0;
	struct walk walk;

	(void)state;
	assert_true(walk_begin(&walk, true, SIZE, PLACES * SIZE));
	for (uint64_t n = 0; n < 10 * PLACES; n++) {
		uint64_t offset = walk_next(&walk);

		assert_int_equal(offset % SIZE, 0);
		assert_in_range(offset / SIZE, 0, PLACES - 1);
		seen[offset / SIZE]++;
		neighbours += offset == last + SIZE;
		last = offset;
	}
	for (size_t n = 0; n < PLACES; n++)
		unseen += !seen[n];
	assert_in_range(unseen, 0, 5);
	assert_in_range(neighbours, 0, 40);
}

static void a_walk_is_the_same_each_time(void **state)
{
	struct walk one, other;

	(void)state;
	assert_true(walk_begin(&one, true, SIZE, PLACES * SIZE));
	assert_true(walk_begin(&other, true, SIZE, PLACES * SIZE));
	for (uint64_t n = 0; n < PLACES; n++)
		assert_int_equal(walk_next(&one), walk_next(&other));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_disk_has_room_for_a_request),
		cmocka_unit_test(requests_in_order_begin_again_at_the_end),
		cmocka_unit_test(random_requests_go_everywhere),
		cmocka_unit_test(a_walk_is_the_same_each_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
