/* SPDX-License-Identifier: BSD-2-Clause */
/* Buffers and cursors: what is put comes back, and what a hostile peer sends is found out at the end, not before. */
#include "unit.h"
#include "../property/random.h"

#include "base/buffer.h"

#include <string.h>

static void test_round_trip(void **state)
{
	struct buffer buffer = { 0 }, empty = { 0 };
	struct cursor cursor;
	const void *block;
	char string[8];
	size_t size;

	(void)state;
	buffer_put_u8(&buffer, 0xab);
	buffer_put_u32(&buffer, 0x01020304);
	buffer_put_u64(&buffer, 0x1122334455667788u);
	buffer_put_block(&buffer, "xyz", 3);
	buffer_put_string(&buffer, "sea");
	buffer_put_block(&buffer, "", 0);
	assert_false(buffer_failed(&buffer));
	assert_non_null(buffer_reserve(&empty, 0));
	assert_int_equal(empty.size, 0);
	buffer_free(&empty);
	assert_memory_equal(buffer.data, "\xab\x04\x03\x02\x01\x88\x77", 7);

	cursor = cursor_make(buffer.data, buffer.size);
	assert_int_equal(cursor_u8(&cursor), 0xab);
	assert_int_equal(cursor_u32(&cursor), 0x01020304);
	assert_true(cursor_u64(&cursor) == 0x1122334455667788u);
	block = cursor_block(&cursor, &size);
	assert_int_equal(size, 3);
	assert_memory_equal(block, "xyz", 3);
	assert_false(cursor_finish(&cursor));
	cursor_string(&cursor, string, sizeof(string));
	assert_string_equal(string, "sea");
	assert_non_null(cursor_block(&cursor, &size));
	assert_int_equal(size, 0);
	assert_true(cursor_finish(&cursor));
	buffer_free(&buffer);
	assert_null(buffer.data);
}

static void test_growth(void **state)
{
	static const uint8_t chunk[1000];
	struct buffer buffer = { 0 };

	(void)state;
	for (uint32_t n = 0; n < 200; n++) {
		buffer_put_u32(&buffer, n);
		buffer_put(&buffer, chunk, sizeof(chunk));
	}
	assert_int_equal(buffer.size, 200 * (4 + sizeof(chunk)));
	for (uint32_t n = 0; n < 200; n++)
		assert_int_equal(buffer.data[n * 1004], n);
	buffer_clear(&buffer);
	assert_int_equal(buffer.size, 0);
	assert_non_null(buffer_reserve(&buffer, 5));
	assert_int_equal(buffer.size, 5);
	buffer_free(&buffer);
}

/* No room for so much: from then on nothing happens. */
static void test_out_of_memory(void **state)
{
	struct buffer buffer = { .failed = true };

	(void)state;
	assert_null(buffer_reserve(&buffer, 1));
	buffer_put_u64(&buffer, 7);
	assert_int_equal(buffer.size, 0);
	assert_true(buffer_failed(&buffer));
	buffer_free(&buffer);
	assert_false(buffer_failed(&buffer));
}

/* After the first read beyond the end everything reads as 0, whatever is left. */
static void test_beyond_the_end(void **state)
{
	static const uint8_t bytes[7] = { 1, 2, 3, 4, 5, 6, 7 };
	struct cursor cursor = cursor_make(bytes, sizeof(bytes));
	size_t size;

	(void)state;
	assert_true(cursor_u64(&cursor) == 0);
	assert_int_equal(cursor.left, sizeof(bytes));
	assert_int_equal(cursor_u8(&cursor), 0);
	assert_int_equal(cursor_u32(&cursor), 0);
	assert_null(cursor_take(&cursor, 0));
	assert_null(cursor_block(&cursor, &size));
	assert_false(cursor_finish(&cursor));
	cursor = cursor_make(NULL, 0);
	assert_true(cursor_finish(&cursor));
	assert_int_equal(cursor_u8(&cursor), 0);
	assert_false(cursor_finish(&cursor));
}

static void test_lying_lengths(void **state)
{
	static const uint8_t longer[] = { 4, 0, 0, 0, 'a', 'b', 'c' };
	static const uint8_t huge[] = { 0xff, 0xff, 0xff, 0xff, 'a' };
	struct cursor cursor = cursor_make(longer, sizeof(longer));
	char string[8] = "before";
	size_t size;

	(void)state;
	assert_null(cursor_block(&cursor, &size));
	assert_false(cursor_finish(&cursor));
	cursor = cursor_make(huge, sizeof(huge));
	cursor_string(&cursor, string, sizeof(string));
	assert_string_equal(string, "");
	assert_false(cursor_finish(&cursor));
}

static void test_strings(void **state)
{
	static const struct {
		const char *bytes;
		uint8_t size;
		const char *string; /* NULL: refused */
	} cases[] = {
		{ "", 0, "" },	     { "abc", 3, "abc" }, { "abcd", 4, NULL }, /* its end does not fit */
		{ "a\0c", 3, NULL }, { "\0", 1, NULL },	  { "\xff\xfe", 2, "\xff\xfe" },
	};

	(void)state;
	for (size_t n = 0; n < ARRAY_SIZE(cases); n++) {
		uint8_t bytes[8] = { cases[n].size };
		struct cursor cursor = cursor_make(bytes, 4u + cases[n].size);
		char string[4];

		memcpy(bytes + 4, cases[n].bytes, cases[n].size);
		cursor_string(&cursor, string, sizeof(string));
		assert_string_equal(string, cases[n].string ? cases[n].string : "");
		assert_int_equal(cursor_finish(&cursor), cases[n].string != NULL);
	}
}

/* Random reads of random bytes never leave them; the sanitizers watch. */
static void test_random(void **state)
{
	struct random random = random_start();

	(void)state;
	for (int round = 0; round < 20000; round++) {
		size_t length = random_between(&random, 0, 24), size;
		uint8_t *bytes = malloc(length ? length : 1);
		struct cursor cursor;
		char string[5];

		for (size_t n = 0; n < length; n++)
			bytes[n] = (uint8_t)random_between(&random, 0, random_chance(&random, 2) ? 3 : 255);
		cursor = cursor_make(bytes, length);
		while (!cursor.failed && cursor.left) {
			const uint8_t *block;

			switch (random_between(&random, 0, 3)) {
			case 0:
				cursor_u64(&cursor);
				break;
			case 1:
				block = cursor_block(&cursor, &size);
				assert_true(!block || (block >= bytes && block + size <= bytes + length));
				break;
			case 2:
				cursor_string(&cursor, string, sizeof(string));
				assert_true(strlen(string) < sizeof(string));
				break;
			default:
				cursor_u8(&cursor);
			}
		}
		free(bytes);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip),    cmocka_unit_test(test_growth),
		cmocka_unit_test(test_out_of_memory), cmocka_unit_test(test_beyond_the_end),
		cmocka_unit_test(test_lying_lengths), cmocka_unit_test(test_strings),
		cmocka_unit_test(test_random),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
