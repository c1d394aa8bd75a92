/* SPDX-License-Identifier: BSD-2-Clause */
/* How long a source may hold a receiver: what buys it time, and that all of it has an end. */
#include "unit.h"

#include "migrate/allowance.h"

#include <endian.h>
#include <string.h>

#define S 1000000000ull
#define MIB (1ull << 20)

static uint8_t bytes[sizeof(uint64_t) + FRAME_PAGES_MAX * MEMORY_PAGE_SIZE];

static void note(struct allowance *allowance, enum frame_type type, size_t pages, uint64_t times)
{
	const uint64_t zeroes[2] = { 0, htole64(pages) };
	const struct frame contents = { type, bytes, sizeof(uint64_t) + pages * MEMORY_PAGE_SIZE };
	const struct frame named = { type, (const uint8_t *)zeroes, sizeof(zeroes) };
	const struct frame frame = type == FRAME_ZEROES ? named : contents;

	for (uint64_t n = 0; n < times; n++)
		allowance_note(allowance, &frame);
}

static void test_pages(void **state)
{
	struct allowance allowance = allowance_make(64 * MIB);

	(void)state;
	assert_int_equal(allowance_time(&allowance).v, 60 * S);
	note(&allowance, FRAME_PAGES, 64, 4);
	assert_int_equal(allowance_time(&allowance).v, (60 + 16) * S);
	note(&allowance, FRAME_PAGES, 1, 16);
	assert_int_equal(allowance_time(&allowance).v, (60 + 17) * S);
}

static void test_rest(void **state)
{
	struct allowance allowance = allowance_make(64 * MIB);

	(void)state;
	note(&allowance, FRAME_STAMP, 0, 64);
	assert_int_equal(allowance_time(&allowance).v, 92 * S);
	note(&allowance, FRAME_SYNC, 0, 1000);
	note(&allowance, FRAME_CLOCK, 0, 1000);
	note(&allowance, FRAME_CHECK, 0, 1000);
	assert_int_equal(allowance_time(&allowance).v, 92 * S);
}

/* They buy the time to look through the pages that they name, at 64 MiB a second, and their own at 64 KiB a second. */
static void test_zeroes(void **state)
{
	struct allowance allowance = allowance_make(64 * MIB);
	uint64_t frame_ns = 24 * S / 65536;

	(void)state;
	note(&allowance, FRAME_ZEROES, 64, 256);
	assert_in_range(allowance_time(&allowance).v, 61 * S + 255 * frame_ns, 61 * S + 257 * frame_ns);
	allowance = allowance_make(64 * MIB);
	note(&allowance, FRAME_ZEROES, 1, 256);
	assert_in_range(allowance_time(&allowance).v, 60 * S + S / 64 + 255 * frame_ns,
			60 * S + S / 64 + 257 * frame_ns);
	/* Those that name nothing, or too much, buy nothing. */
	allowance = allowance_make(64 * MIB);
	note(&allowance, FRAME_ZEROES, 0, 256);
	note(&allowance, FRAME_ZEROES, FRAME_PAGES_MAX + 1, 256);
	assert_int_equal(allowance_time(&allowance).v, 60 * S);
}

/* Each kind has an end: 42 rounds of memory, of its pages that are zero, and of stamps. */
static void test_bounded(void **state)
{
	struct allowance allowance = allowance_make(64 * MIB);
	uint64_t memory = 42ull * 64 * 16, zeroes = 42 + 252, stamps = 42 * 32;

	(void)state;
	note(&allowance, FRAME_PAGES, 64, 42 * 256 + 1000);
	assert_int_equal(allowance_time(&allowance).v, (60 + memory) * S);
	note(&allowance, FRAME_ZEROES, 1, 42 * 16384 + 1000);
	assert_in_range(allowance_time(&allowance).v, (60 + memory + zeroes) * S - S, (60 + memory + zeroes) * S);
	note(&allowance, FRAME_STAMP, 0, 100000);
	assert_in_range(allowance_time(&allowance).v, (60 + memory + zeroes + stamps) * S - S,
			(60 + memory + zeroes + stamps) * S);
}

/* The largest guest: no overflow. */
static void test_largest(void **state)
{
	struct allowance allowance = allowance_make(1ull << 40);

	(void)state;
	allowance.pages = allowance.zeroes = allowance.pages_max;
	allowance.stamps = UINT32_MAX;
	assert_true(allowance_time(&allowance).v > 42ull * (1u << 24) * S);
	assert_true(allowance_time(&allowance).v < INT64_MAX);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pages),	cmocka_unit_test(test_rest),	cmocka_unit_test(test_zeroes),
		cmocka_unit_test(test_bounded), cmocka_unit_test(test_largest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
