/* SPDX-License-Identifier: BSD-2-Clause */
/* The bounded queue of bytes, by itself and against a plain model of it over a random walk. */
#include "unit.h"
#include "../property/random.h"

#include "base/ring.h"

#include <string.h>

#define CAPACITY 7u

static uint8_t bytes[CAPACITY];
static struct ring ring;

static int set_up(void **state)
{
	(void)state;
	ring_init(&ring, bytes, sizeof(bytes));
	return 0;
}

static void expect_taken(size_t room, const char *text, uint64_t missing)
{
	char taken[16] = "";
	uint64_t dropped;

	assert_int_equal(ring_take(&ring, taken, room, &dropped), strlen(text));
	assert_string_equal(taken, text);
	assert_int_equal(dropped, missing);
}

/* What does not fit is left to the writer. */
static void test_add(void **state)
{
	(void)state;
	assert_int_equal(ring_add(&ring, "abcd", 4), 4);
	expect_taken(3, "abc", 0);
	assert_int_equal(ring_add(&ring, "efghijklm", 9), 6);
	assert_int_equal(ring_add(&ring, "x", 1), 0);
	expect_taken(15, "defghij", 0);
	expect_taken(15, "", 0);
}

/* What does not fit takes the place of the oldest, and is counted once, where it is missing. */
static void test_push(void **state)
{
	(void)state;
	ring_push(&ring, "abcde", 5);
	expect_taken(2, "ab", 0);
	ring_push(&ring, "fghi", 4);
	ring_push(&ring, "jk", 2);
	expect_taken(4, "efgh", 2);
	expect_taken(4, "ijk", 0);
	ring_push(&ring, "0123456789", 10);
	expect_taken(15, "3456789", 3);
	ring_push(&ring, "", 0);
	expect_taken(15, "", 0);
}

static void test_peek(void **state)
{
	char seen[16] = "";

	(void)state;
	ring_push(&ring, "abcde", 5);
	expect_taken(4, "abcd", 0);
	ring_push(&ring, "fghi", 4);
	assert_int_equal(ring_peek(&ring, 1, seen, 3), 3);
	assert_string_equal(seen, "fgh");
	assert_int_equal(ring_peek(&ring, 4, seen, 3), 1);
	assert_int_equal(ring_peek(&ring, 5, seen, 3), 0);
	expect_taken(15, "efghi", 0);
}

/* Bytes are numbered: what comes out is the next number, or as many later as are said to be missing. */
static void test_walk(void **state)
{
	struct random random = random_start();
	uint8_t in = 0, out = 0, data[12];

	(void)state;
	for (int step = 0; step < 100000; step++) {
		size_t size = random_between(&random, 0, sizeof(data)), count = ring.count;
		uint64_t dropped = 0;

		if (random_chance(&random, 2)) {
			for (size_t n = 0; n < size; n++)
				data[n] = (uint8_t)(in + n);
			if (random_chance(&random, 2))
				size = ring_add(&ring, data, size);
			else
				ring_push(&ring, data, size);
			in = (uint8_t)(in + size);
			assert_true(ring.count <= CAPACITY);
			continue;
		}
		size = ring_take(&ring, data, size, &dropped);
		assert_int_equal(ring.count, count - size);
		out = (uint8_t)(out + dropped);
		for (size_t n = 0; n < size; n++)
			assert_int_equal(data[n], out++);
	}
}

#define TEST(name) cmocka_unit_test_setup(name, set_up)

int main(void)
{
	static const struct CMUnitTest tests[] = { TEST(test_add), TEST(test_push), TEST(test_peek), TEST(test_walk) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
