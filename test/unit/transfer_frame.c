/* SPDX-License-Identifier: BSD-2-Clause */
/* Frame headers, hello, welcome, names: tables of what is taken and what is refused, with the sentence. */
#include "unit.h"
#include "../property/random.h"

#include "base/layout.h"
#include "transfer/frame.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static const uint32_t limits[FRAME_TYPES] = {
	[FRAME_HELLO] = 512,
	[FRAME_WELCOME] = 64,
	[FRAME_CHECK] = 4 << 20,
	[FRAME_PAGES] = 8 + 64 * 4096,
	[FRAME_ZEROES] = 16,
	[FRAME_STAMPED] = 16,
	[FRAME_CLOCKED] = 24,
	[FRAME_STATE] = 4 << 20,
	[FRAME_READY] = 16,
	[FRAME_SETTLED] = 512,
	[FRAME_QUESTION] = 64,
	[FRAME_ANSWER] = 4,
	[FRAME_ABORT] = ERROR_TEXT_MAX,
	[FRAME_MACHINE] = 16384,
};

static void test_header(void **state)
{
	uint8_t header[FRAME_HEADER_SIZE];
	enum frame_type type;
	struct error error;
	uint32_t size;

	(void)state;
	for (uint32_t n = 1; n < FRAME_TYPES; n++) {
		frame_put_header(header, n, limits[n]);
		assert_int_equal(frame_get_header(header, &type, &size, &error), 0);
		assert_int_equal(type, n);
		assert_int_equal(size, limits[n]);
		assert_non_null(frame_name(type));
		frame_put_header(header, n, limits[n] + 1);
		assert_int_equal(frame_get_header(header, &type, &size, &error), -EPROTO);
		frame_put_header(header, n, UINT32_MAX);
		assert_int_equal(frame_get_header(header, &type, &size, &error), -EPROTO);
	}
	frame_put_header(header, FRAME_GO, 7);
	frame_get_header(header, &type, &size, &error);
	assert_string_equal(error.text, "the other side sent a GO frame of 7 bytes; the limit is 0");
}

static void test_header_types(void **state)
{
	static const uint32_t bad[] = { 0, FRAME_TYPES, FRAME_TYPES + 1, 0x100 + FRAME_GO, 0x20544547, UINT32_MAX };
	enum frame_type type;
	struct error error;
	uint32_t size;

	(void)state;
	for (size_t n = 0; n < ARRAY_SIZE(bad); n++) {
		uint8_t header[FRAME_HEADER_SIZE] = { (uint8_t)bad[n], (uint8_t)(bad[n] >> 8), (uint8_t)(bad[n] >> 16),
						      (uint8_t)(bad[n] >> 24) };

		assert_int_equal(frame_get_header(header, &type, &size, &error), -EPROTO);
		assert_non_null(strstr(error.text, "does not speak Seaclock's migration protocol"));
	}
}

static const struct frame_hello good = { .name = "n", .hz = 25000000 };

static int hello_result(const struct frame_hello *hello, struct frame_hello *back, struct error *error)
{
	struct buffer buffer = { 0 };
	int result;

	frame_put_hello(&buffer, hello);
	assert_true(buffer.size <= limits[FRAME_HELLO]);
	result = frame_get_hello(buffer.data, buffer.size, back, error);
	buffer_free(&buffer);
	return result;
}

static void test_hello(void **state)
{
	static const struct {
		uint32_t hz;
		const char *sentence; /* part of it; NULL: taken */
	} cases[] = {
		{ 25000000, NULL },
		{ SC_RATE_MIN_HZ, NULL },
		{ SC_RATE_MAX_HZ, NULL },
		{ 0, "ticks at 0 Hz" },
		{ SC_RATE_MIN_HZ - 1, "ticks at 999999 Hz" },
		{ UINT32_MAX, "ticks at 4294967295 Hz" },
	};

	(void)state;
	for (size_t n = 0; n < ARRAY_SIZE(cases); n++) {
		struct frame_hello hello = good, back = { 0 };
		struct error error = { .text = "" };

		hello.hz = cases[n].hz;
		assert_int_equal(hello_result(&hello, &back, &error), cases[n].sentence ? -EPROTO : 0);
		if (cases[n].sentence)
			assert_non_null(strstr(error.text, cases[n].sentence));
		else
			assert_memory_equal(&back, &hello, sizeof(hello));
	}
}

static void test_names(void **state)
{
	static const struct {
		const char *name;
		bool valid;
	} cases[] = {
		{ "a", true },	  { "A-1_b.c", true },	 { "0", true },	    { "", false },    { ".a", false },
		{ "..", false },  { "-a", false },	 { "_a", false },   { "a/b", false }, { "a b", false },
		{ "a\n", false }, { "a\x1b[2J", false }, { "\xc3", false }, { "a..b", true }, { "a.sock", true },
	};
	char longest[NAME_SIZE + 1];

	(void)state;
	for (size_t n = 0; n < ARRAY_SIZE(cases); n++) {
		struct frame_hello hello = good, back = { 0 };
		struct error error;

		snprintf(hello.name, sizeof(hello.name), "%s", cases[n].name);
		assert_int_equal(name_is_valid(cases[n].name), cases[n].valid);
		assert_int_equal(hello_result(&hello, &back, &error), cases[n].valid ? 0 : -EPROTO);
	}
	memset(longest, 'x', sizeof(longest));
	longest[NAME_SIZE] = '\0';
	assert_false(name_is_valid(longest));
	longest[NAME_SIZE - 1] = '\0';
	assert_true(name_is_valid(longest));
}

/* A hello that is cut short, has more behind it, or is of another kind or version. */
static void test_hello_damage(void **state)
{
	struct buffer buffer = { 0 };
	struct frame_hello back;
	struct error error;

	(void)state;
	frame_put_hello(&buffer, &good);
	for (size_t size = 0; size < buffer.size; size++)
		assert_int_equal(frame_get_hello(buffer.data, size, &back, &error), -EPROTO);
	buffer_put_u8(&buffer, 0);
	assert_int_equal(frame_get_hello(buffer.data, buffer.size, &back, &error), -EPROTO);
	assert_string_equal(error.text, "the other side's HELLO is damaged");
	buffer.data[0] ^= 1;
	assert_int_equal(frame_get_hello(buffer.data, buffer.size, &back, &error), -EPROTO);
	assert_string_equal(error.text, "the other side does not speak Seaclock's migration protocol");
	buffer.data[0] ^= 1;
	buffer.data[8] = 9;
	assert_int_equal(frame_get_hello(buffer.data, buffer.size, &back, &error), -EPROTO);
	assert_string_equal(error.text,
			    "the other side speaks version 9 of the migration protocol, this one 5 to 6: use "
			    "the same version of Seaclock on both hosts");
	buffer_free(&buffer);
}

static void test_welcome(void **state)
{
	struct buffer buffer = { 0 };
	struct error error;
	uint32_t hz;

	(void)state;
	frame_put_welcome(&buffer, 1000000000);
	assert_int_equal(frame_get_welcome(buffer.data, buffer.size, &hz, &error), 0);
	assert_int_equal(hz, 1000000000);
	for (size_t size = 0; size < buffer.size; size++)
		assert_int_equal(frame_get_welcome(buffer.data, size, &hz, &error), -EPROTO);
	buffer_put_u8(&buffer, 0);
	assert_int_equal(frame_get_welcome(buffer.data, buffer.size, &hz, &error), -EPROTO);
	buffer_free(&buffer);
}

/* Whatever a damaged hello holds: if it is taken, all of it is in range. */
static void test_random_damage(void **state)
{
	struct random random = random_start();
	struct buffer buffer = { 0 };

	(void)state;
	for (int round = 0; round < 20000; round++) {
		struct frame_hello back;
		struct error error;

		buffer_clear(&buffer);
		frame_put_hello(&buffer, &good);
		for (uint64_t n = random_between(&random, 1, 3); n; n--)
			buffer.data[random_between(&random, 12, buffer.size - 1)] = (uint8_t)random_next(&random);
		if (frame_get_hello(buffer.data, buffer.size, &back, &error))
			continue;
		assert_true(name_is_valid(back.name));
		assert_in_range(back.hz, SC_RATE_MIN_HZ, SC_RATE_MAX_HZ);
	}
	buffer_free(&buffer);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_header),	      cmocka_unit_test(test_header_types),
		cmocka_unit_test(test_hello),	      cmocka_unit_test(test_names),
		cmocka_unit_test(test_hello_damage),  cmocka_unit_test(test_welcome),
		cmocka_unit_test(test_random_damage),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
