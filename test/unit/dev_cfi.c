/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * NOR flash: the commands as EDK2's driver gives them, what a driver gets wrong, and states that nothing has saved.
 *
 * Policy: numbers are those of the specifications, not those of the code.
 */
#include "unit.h"

#include "dev/cfi.h"

#include <errno.h>
#include <string.h>

#define SIZE (2 * CFI_BLOCK_SIZE)
#define READY 0x00800080u
#define SEQUENCE 0x00b000b0u

static uint8_t bytes[SIZE];
static struct cfi cfi;

static int set_up(void **state)
{
	(void)state;
	memset(bytes, 0xff, sizeof(bytes));
	cfi_init(&cfi, bytes, sizeof(bytes));
	return 0;
}

/* A command goes to both chips. */
static struct cfi_change command(uint32_t offset, uint8_t code)
{
	return cfi_write(&cfi, offset, 4, code * 0x00010001u);
}

static uint32_t status(void)
{
	command(0, 0x70);
	return (uint32_t)cfi_read(&cfi, 0x40, 4);
}

static void test_array(void **state)
{
	(void)state;
	bytes[9] = 0x12;
	assert_true(cfi_is_array(&cfi));
	assert_int_equal(cfi_read(&cfi, 9, 1), 0x12);
	assert_int_equal(cfi_read(&cfi, 8, 2), 0x12ff);
	assert_true(cfi_read(&cfi, 8, 8) == 0xffffffffffff12ffull);
	command(0, 0x70);
	assert_false(cfi_is_array(&cfi));
	assert_int_equal(cfi_read(&cfi, 8, 4), READY);
	assert_int_equal(cfi_read(&cfi, 8, 1), 0x80);
	assert_int_equal(cfi_read(&cfi, 9, 1), 0);
	command(0, 0xff);
	assert_true(cfi_is_array(&cfi));
}

static void test_word(void **state)
{
	struct cfi_change change;

	(void)state;
	assert_int_equal(command(0x100, 0x40).size, 0);
	assert_false(cfi_is_array(&cfi));
	change = cfi_write(&cfi, 0x100, 4, 0x12345678);
	assert_int_equal(change.offset, 0x100);
	assert_int_equal(change.size, 4);
	assert_int_equal(cfi_read(&cfi, 0, 4), READY);
	command(0, 0xff);
	assert_int_equal(cfi_read(&cfi, 0x100, 4), 0x12345678);
	/* A zero stays. */
	command(0x100, 0x10);
	cfi_write(&cfi, 0x100, 4, 0xffff00ff);
	command(0, 0xff);
	assert_int_equal(cfi_read(&cfi, 0x100, 4), 0x12340078);
	assert_int_equal(bytes[0x104], 0xff);
}

static void test_erase(void **state)
{
	struct cfi_change change;

	(void)state;
	memset(bytes, 0, sizeof(bytes));
	command(CFI_BLOCK_SIZE + 0x40, 0x20);
	assert_int_equal(cfi_read(&cfi, 0, 4), READY);
	change = command(CFI_BLOCK_SIZE + 0x40, 0xd0);
	assert_int_equal(change.offset, CFI_BLOCK_SIZE);
	assert_int_equal(change.size, 0x40000);
	assert_int_equal(status(), READY);
	assert_int_equal(bytes[CFI_BLOCK_SIZE - 1], 0);
	assert_int_equal(bytes[CFI_BLOCK_SIZE], 0xff);
	assert_int_equal(bytes[SIZE - 1], 0xff);
}

static void expect_sequence_error(void)
{
	assert_int_equal(status(), SEQUENCE);
	command(0, 0x50);
	assert_int_equal(status(), READY);
}

static void test_erase_unconfirmed(void **state)
{
	(void)state;
	bytes[0] = 0;
	command(0, 0x20);
	assert_int_equal(command(0, 0xff).size, 0);
	assert_int_equal(bytes[0], 0);
	expect_sequence_error();
}

static void test_lock(void **state)
{
	(void)state;
	command(0, 0x60);
	command(0, 0xd0);
	assert_int_equal(status(), READY);
	command(0, 0x60);
	command(0, 0x01);
	assert_int_equal(status(), READY);
	command(0, 0x90);
	assert_int_equal(cfi_read(&cfi, 8, 4), 0); /* not locked, whatever was asked for */
	command(0, 0x60);
	command(0, 0x33);
	expect_sequence_error();
}

/* `count` words from `offset` on, whose bytes are those of the word's number. */
static struct cfi_change buffer(uint32_t offset, uint32_t count)
{
	command(offset, 0xe8);
	assert_int_equal(cfi_read(&cfi, offset, 4), READY);
	cfi_write(&cfi, offset, 4, (count - 1) * 0x00010001u);
	for (uint32_t n = 0; n < count; n++)
		cfi_write(&cfi, offset + 4 * n, 4, n * 0x01010101u);
	return command(offset, 0xd0);
}

static void test_buffer(void **state)
{
	struct cfi_change change = buffer(SIZE - 128, 32);

	(void)state;
	assert_int_equal(change.offset, SIZE - 128);
	assert_int_equal(change.size, 128);
	assert_int_equal(status(), READY);
	for (uint32_t n = 0; n < 128; n++)
		assert_int_equal(bytes[SIZE - 128 + n], n / 4);
	assert_int_equal(buffer(0x44, 1).size, 4);
	assert_int_equal(bytes[0x44], 0);
	assert_int_equal(bytes[0x48], 0xff);
}

static void test_buffer_bad(void **state)
{
	(void)state;
	/* Too many words. */
	command(0, 0xe8);
	cfi_write(&cfi, 0, 4, 32);
	expect_sequence_error();
	/* One that lies before the first, or behind what was announced, or beyond the end. */
	for (uint32_t n = 0; n < 3; n++) {
		static const uint32_t places[][2] = { { 8, 4 }, { 8, 16 }, { SIZE - 4, SIZE - 8 } };

		command(0, 0xe8);
		cfi_write(&cfi, 0, 4, 1);
		cfi_write(&cfi, places[n][0], 4, 0);
		cfi_write(&cfi, places[n][1], 4, 0);
		expect_sequence_error();
	}
	/* A word that is larger than the buffer. */
	command(0, 0xe8);
	cfi_write(&cfi, 0, 4, 0);
	cfi_write(&cfi, 0, 8, 0);
	expect_sequence_error();
	/* No confirmation. */
	command(0, 0xe8);
	cfi_write(&cfi, 0, 4, 0);
	cfi_write(&cfi, 0, 4, 0);
	assert_int_equal(command(0, 0xff).size, 0);
	expect_sequence_error();
	for (uint32_t n = 0; n < SIZE; n++)
		assert_int_equal(bytes[n], 0xff);
}

static void test_query(void **state)
{
	static const uint8_t expected[] = { 'Q', 'R', 'Y', 1, 0 };

	(void)state;
	command(0x55 * 4, 0x98);
	for (uint32_t n = 0; n < sizeof(expected); n++)
		assert_int_equal(cfi_read(&cfi, (0x10 + n) * 4, 4), expected[n] * 0x00010001u);
	/* Two chips of 32 MiB, of 256 blocks of 128 KiB, with buffers of 64 bytes. */
	assert_int_equal(cfi_read(&cfi, 0x27 * 4, 1), 25);
	assert_int_equal(cfi_read(&cfi, 0x2a * 4, 1), 6);
	assert_int_equal(cfi_read(&cfi, 0x2d * 4, 1) + 1, 256);
	assert_int_equal(cfi_read(&cfi, 0x2f * 4, 1) | cfi_read(&cfi, 0x30 * 4, 1) << 8, 512);
	assert_int_equal(cfi_read(&cfi, 0x3d * 4, 4), 0);
	assert_int_equal(cfi_read(&cfi, SIZE - 4, 4), 0);
	command(0, 0x90);
	assert_int_equal(cfi_read(&cfi, 0, 4), 0x00890089);
	assert_int_equal(cfi_read(&cfi, 4, 4), 0x00180018);
	command(0, 0xff);
	assert_true(cfi_is_array(&cfi));
}

static int reload(struct buffer *saved)
{
	struct cursor cursor = cursor_make(saved->data, saved->size);
	int result = cfi_load(&cfi, &cursor);

	assert_true(result || cursor_finish(&cursor));
	return result;
}

/* Between any two writes of a buffer. */
static void test_state(void **state)
{
	(void)state;
	for (uint32_t at = 0; at < 6; at++) {
		const uint32_t values[] = { 0xe8, 1, 0x11111111, 0x22222222, 0xd0 };
		struct buffer saved = { 0 };

		set_up(NULL);
		for (uint32_t n = 0; n < at && n < ARRAY_SIZE(values); n++)
			cfi_write(&cfi, 0x80 + (n == 3 ? 4 : 0), 4, values[n]);
		cfi_save(&cfi, &saved);
		cfi_reset(&cfi);
		assert_int_equal(reload(&saved), 0);
		for (uint32_t n = at; n < ARRAY_SIZE(values); n++)
			cfi_write(&cfi, 0x80 + (n == 3 ? 4 : 0), 4, values[n]);
		assert_int_equal(status(), READY);
		command(0, 0xff);
		assert_int_equal(cfi_read(&cfi, 0x80, 4), 0x11111111);
		assert_int_equal(cfi_read(&cfi, 0x84, 4), 0x22222222);
		buffer_free(&saved);
	}
}

/* A start that is of no use any more, or not yet, may be too near to the end for the length beside it. */
static void test_state_near_the_end(void **state)
{
	struct buffer saved = { 0 };

	(void)state;
	command(SIZE - 4, 0xe8);
	cfi_write(&cfi, SIZE - 4, 4, 31);
	cfi_write(&cfi, SIZE - 4, 4, 0);
	assert_int_equal(cfi_read(&cfi, 0, 4), SEQUENCE);
	cfi_save(&cfi, &saved);
	assert_int_equal(reload(&saved), 0);
	command(0, 0x50);
	command(SIZE - 4, 0xe8);
	cfi_write(&cfi, SIZE - 4, 4, 0);
	cfi_write(&cfi, SIZE - 4, 4, 0x12345678);
	command(SIZE - 4, 0xd0);
	command(0, 0xe8);
	cfi_write(&cfi, 0, 4, 31);
	buffer_clear(&saved);
	cfi_save(&cfi, &saved);
	assert_int_equal(reload(&saved), 0);
	buffer_free(&saved);
}

static void test_state_damaged(void **state)
{
	/* Word and value: mode, step, status, a start beyond the end, a length that is odd or large, too much of it. */
	static const uint32_t damages[][2] = { { 0, 4 }, { 1, 7 },	   { 2, 256 }, { 3, SIZE - 4 },
					       { 4, 9 }, { 4, 0x84 },	   { 5, 9 },   { 5, 0xffffffff },
					       { 4, 4 }, { 3, 0xffffffff } };

	(void)state;
	for (size_t n = 0; n < ARRAY_SIZE(damages); n++) {
		struct buffer saved = { 0 };

		set_up(NULL);
		command(0, 0xe8);
		cfi_write(&cfi, 0, 4, 1);
		cfi_write(&cfi, 0, 4, 5);
		cfi_save(&cfi, &saved);
		memcpy(saved.data + 4 * damages[n][0], &damages[n][1], 4);
		assert_int_equal(reload(&saved), -EPROTO);
		saved.size = 20;
		assert_int_equal(reload(&saved), -EPROTO);
		buffer_free(&saved);
	}
}

#define TEST(name) cmocka_unit_test_setup(name, set_up)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(test_array),	  TEST(test_word),
		TEST(test_erase),	  TEST(test_erase_unconfirmed),
		TEST(test_lock),	  TEST(test_buffer),
		TEST(test_buffer_bad),	  TEST(test_query),
		TEST(test_state),	  TEST(test_state_near_the_end),
		TEST(test_state_damaged),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
