/* SPDX-License-Identifier: BSD-2-Clause */
/* Guest memory: its bounds, and the record of what the monitor wrote there. */
#include "unit.h"
#include "../fake/host_fake.h"
#include "../property/random.h"

#include "base/layout.h"
#include "host/memory.h"

#include <errno.h>
#include <string.h>

#define SIZE (1ull << 20)
#define WORDS (SIZE / MEMORY_PAGE_SIZE / 64)
#define BASE LAYOUT_RAM_BASE

static struct memory memory;

static int set_up(void **state)
{
	struct error error;

	(void)state;
	fake_reset();
	return memory_create(&memory, SIZE, &error);
}

static int tear_down(void **state)
{
	(void)state;
	memory_destroy(&memory);
	return 0;
}

static void test_create(void **state)
{
	struct error error;
	struct memory other;

	(void)state;
	assert_int_equal(memory_pages(&memory), SIZE / 4096);
	assert_int_equal(memory_bitmap_words(&memory), WORDS);
	for (uint64_t n = 0; n < SIZE; n++)
		assert_int_equal(memory.region[0].host[n], 0);
	fake_fail(fake_host_current(), FAKE_MEMORY, 0, 1, ENOMEM);
	assert_int_equal(memory_create(&other, 64 * SIZE, &error), -ENOMEM);
	assert_string_equal(error.text, "this host has no 64 MiB of memory for the guest");
	memory_destroy(&other);
	memory_destroy(&other);
}

/* What was never touched is known without reading it; a page that was is taken for touched, also if it was only read.
 */
static void test_touched(void **state)
{
	(void)state;
	if (memory.pagemap < 0)
		skip();
	assert_int_equal(memory_touched(&memory, memory_page(&memory, 0), 64), 0);
	memory.region[0].host[3 * MEMORY_PAGE_SIZE + 1] = 1;
	memory.region[0].host[63 * MEMORY_PAGE_SIZE] = 0;
	assert_int_equal(*(volatile uint8_t *)&memory.region[0].host[5 * MEMORY_PAGE_SIZE], 0);
	assert_int_equal(memory_touched(&memory, memory_page(&memory, 0), 64), 1ull << 3 | 1ull << 5 | 1ull << 63);
	assert_int_equal(memory_touched(&memory, memory_page(&memory, 3), 1) & 1, 1);
	assert_int_equal(memory_touched(&memory, memory_page(&memory, 62), 2) & 3, 2);
	assert_int_equal(memory_touched(&memory, memory_page(&memory, memory_pages(&memory) - 1), 1) & 1, 0);
}

/* Where the kernel does not tell, all of it counts as touched. */
static void test_touched_not_known(void **state)
{
	int pagemap = memory.pagemap;

	(void)state;
	memory.pagemap = -1;
	assert_int_equal(memory_touched(&memory, memory_page(&memory, 0), 64), ~0ull);
	memory.pagemap = pagemap;
}

static void test_bounds(void **state)
{
	static const struct {
		uint64_t gpa;
		size_t size;
		bool inside;
	} cases[] = {
		{ BASE, 0, true },
		{ BASE, 1, true },
		{ BASE, SIZE, true },
		{ BASE, SIZE + 1, false },
		{ BASE - 1, 1, false },
		{ BASE - 1, 2, false },
		{ BASE - 4096, 4096, false },
		{ BASE + SIZE - 1, 1, true },
		{ BASE + SIZE - 1, 2, false },
		{ BASE + SIZE, 0, true },
		{ BASE + SIZE, 1, false },
		{ BASE + SIZE + 1, 0, false },
		{ 0, 1, false },
		{ 0, SIZE_MAX, false },
		{ BASE, SIZE_MAX, false },
		{ BASE + 1, SIZE_MAX, false },
		{ UINT64_MAX, 1, false },
		{ UINT64_MAX, SIZE_MAX, false },
		{ UINT64_MAX - 4095, 4096, false },
		{ BASE + UINT64_MAX / 2, 1, false },
	};
	uint8_t data[2] = { 1, 2 };

	(void)state;
	for (size_t n = 0; n < ARRAY_SIZE(cases); n++) {
		void *place = memory_span(&memory, cases[n].gpa, cases[n].size);

		assert_int_equal(place != NULL, cases[n].inside);
		if (place)
			assert_ptr_equal(place, memory.region[0].host + (cases[n].gpa - BASE));
		if (cases[n].size <= sizeof(data)) {
			assert_int_equal(memory_write(&memory, cases[n].gpa, data, cases[n].size), cases[n].inside);
			assert_int_equal(memory_read(&memory, cases[n].gpa, data, cases[n].size), cases[n].inside);
		}
	}
}

static void expect_dirty(uint64_t first, uint64_t last)
{
	uint64_t bitmap[WORDS] = { 0 };

	memory_take_dirty(&memory, bitmap);
	for (uint64_t page = 0; page < WORDS * 64; page++)
		assert_int_equal(bitmap[page / 64] >> page % 64 & 1, page >= first && page <= last);
}

#define NONE UINT64_MAX, 0

static void test_dirty(void **state)
{
	static const uint8_t data[3 * 4096] = { 7 };
	uint8_t back[3];

	(void)state;
	expect_dirty(NONE);
	assert_true(memory_write(&memory, BASE + 5, data, 3));
	expect_dirty(0, 0);
	expect_dirty(NONE);
	assert_true(memory_write(&memory, BASE + 4095, data, 2));
	expect_dirty(0, 1);
	assert_true(memory_write(&memory, BASE + 63 * 4096, data, 2 * 4096));
	expect_dirty(63, 64);
	assert_true(memory_write(&memory, BASE + 62 * 4096 + 1, data, 3 * 4096));
	expect_dirty(62, 65);
	assert_true(memory_write(&memory, BASE + SIZE - 1, data, 1));
	expect_dirty(255, 255);
	/* What fails, is empty or only reads leaves no trace. */
	assert_false(memory_write(&memory, BASE + SIZE - 1, data, 2));
	assert_true(memory_write(&memory, BASE, data, 0));
	assert_true(memory_write(&memory, BASE + SIZE, data, 0));
	assert_true(memory_read(&memory, BASE, back, sizeof(back)));
	expect_dirty(NONE);
}

/* Taking adds to what the map already has, such as KVM's own. */
static void test_dirty_adds(void **state)
{
	uint64_t bitmap[WORDS] = { 0x8001 };

	(void)state;
	memory_mark_dirty(&memory, BASE + 2 * 4096, 1);
	memory_take_dirty(&memory, bitmap);
	assert_true(bitmap[0] == 0x8005);
}

static void test_random(void **state)
{
	struct random random = random_start();
	uint64_t bitmap[WORDS], want[WORDS];
	uint8_t data[5000];

	(void)state;
	memset(data, 0x5a, sizeof(data));
	for (int round = 0; round < 2000; round++) {
		uint64_t gpa = random_between(&random, BASE - 6000, BASE + SIZE + 6000);
		size_t size = random_between(&random, 0, sizeof(data));
		bool inside = gpa >= BASE && gpa + size <= BASE + SIZE;

		memset(bitmap, 0, sizeof(bitmap));
		memset(want, 0, sizeof(want));
		for (uint64_t at = gpa; inside && at < gpa + size; at++)
			want[(at - BASE) / 4096 / 64] |= 1ull << (at - BASE) / 4096 % 64;
		assert_int_equal(memory_write(&memory, gpa, data, size), inside);
		memory_take_dirty(&memory, bitmap);
		assert_memory_equal(bitmap, want, sizeof(want));
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

/* Two regions with a hole between them: pages are numbered through both, and nothing reaches over the hole. */
static void test_regions(void **state)
{
	const uint64_t gpa = BASE + 4 * SIZE, pages = SIZE / MEMORY_PAGE_SIZE;
	uint64_t dirty[2 * WORDS] = { 0 };
	uint8_t bytes[8] = { 1, 2, 3 };
	struct error error;

	(void)state;
	assert_int_equal(memory_add(&memory, gpa, SIZE, &error), 0);
	assert_int_equal(memory_pages(&memory), 2 * pages);
	assert_ptr_equal(memory_page(&memory, pages - 1), memory.region[0].host + SIZE - MEMORY_PAGE_SIZE);
	assert_ptr_equal(memory_page(&memory, pages), memory.region[1].host);
	assert_int_equal(memory_run(&memory, pages - 3, 64), 3);
	assert_int_equal(memory_run(&memory, pages, 64), 64);
	assert_true(memory_page_gpa(&memory, pages + 3) == gpa + 3 * MEMORY_PAGE_SIZE);
	assert_true(memory_write(&memory, gpa + 2 * MEMORY_PAGE_SIZE - 4, bytes, sizeof(bytes)));
	memory_take_dirty(&memory, dirty);
	assert_true(dirty[WORDS] == 6);
	assert_int_equal(dirty[0], 0);
	assert_false(memory_write(&memory, BASE + SIZE - 4, bytes, sizeof(bytes)));
	assert_null(memory_span(&memory, BASE, 5 * SIZE));
	assert_null(memory_span(&memory, gpa - 1, 1));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(test_create), TEST(test_touched), TEST(test_regions),    TEST(test_touched_not_known),
		TEST(test_bounds), TEST(test_dirty),   TEST(test_dirty_adds), TEST(test_random),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
