/* SPDX-License-Identifier: BSD-2-Clause */
/* The pages of a round: every page that was written is taken once, in runs; and when pre-copy is near enough to stop.
 */
#include "unit.h"
#include "../fake/host_fake.h"
#include "../property/random.h"

#include "migrate/precopy.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define SIZE (1ull << 20)
#define PAGES (SIZE / 4096)

static struct host_vm vm;
static struct memory memory;
static struct dirty dirty;
static struct error error;

static int set_up(void **state)
{
	(void)state;
	fake_reset();
	if (host_vm_create(&vm, FAKE_FUNCTIONS, &error) || memory_create(&memory, SIZE, &error) ||
	    host_vm_add_ram(&vm, LAYOUT_RAM_BASE, memory.region[0].host, SIZE, &error))
		return -1;
	return dirty_start(&dirty, &vm, &memory, &error);
}

static int tear_down(void **state)
{
	(void)state;
	if (dirty.vm)
		dirty_stop(&dirty);
	host_vm_destroy(&vm);
	memory_destroy(&memory);
	return 0;
}

static void drain(void)
{
	uint64_t page = 0;
	uint32_t count;

	for (; dirty_take(&dirty, &page, 64, &count); page += count)
		;
	assert_int_equal(dirty.pages, 0);
}

static void touch(uint64_t page, bool by_guest)
{
	static const uint8_t byte = 1;

	if (by_guest)
		fake_guest_write(&vm, LAYOUT_RAM_BASE + page * 4096 + 17, &byte, 1);
	else
		assert_true(memory_write(&memory, LAYOUT_RAM_BASE + page * 4096 + 17, &byte, 1));
}

static void test_first_round(void **state)
{
	uint64_t page = 0, next = 0;
	uint32_t count;

	(void)state;
	assert_int_equal(dirty.pages, PAGES);
	for (; dirty_take(&dirty, &page, 60, &count); page += count) {
		assert_int_equal(page, next);
		next = page + count;
		assert_in_range(count, 1, 60);
		assert_int_equal(dirty.pages, PAGES - next);
	}
	assert_int_equal(next, PAGES);
	assert_false(dirty_take(&dirty, &page, 60, &count));
}

/* What the monitor stored before is in the first round, and does not come again in the second. */
static void test_earlier_stores(void **state)
{
	(void)state;
	dirty_stop(&dirty);
	for (uint64_t page = 0; page < PAGES; page++)
		touch(page, false);
	assert_int_equal(dirty_start(&dirty, &vm, &memory, &error), 0);
	drain();
	touch(5, false);
	assert_int_equal(dirty_collect(&dirty, &error), 0);
	assert_int_equal(dirty.pages, 1);
}

static void test_runs(void **state)
{
	static const uint64_t pages[] = { 0, 62, 63, 64, 65, 128, 200, 202, 255 };
	static const struct {
		uint64_t page;
		uint32_t count;
	} want[] = { { 0, 1 }, { 62, 3 }, { 65, 1 }, { 128, 1 }, { 200, 1 }, { 202, 1 }, { 255, 1 } };
	uint64_t page = 0;
	uint32_t count;

	(void)state;
	drain();
	for (size_t n = 0; n < ARRAY_SIZE(pages); n++)
		touch(pages[n], n % 2);
	assert_int_equal(dirty_collect(&dirty, &error), 0);
	assert_int_equal(dirty.pages, ARRAY_SIZE(pages));
	for (size_t n = 0; n < ARRAY_SIZE(want); n++, page += count) {
		assert_true(dirty_take(&dirty, &page, 3, &count));
		assert_int_equal(page, want[n].page);
		assert_int_equal(count, want[n].count);
	}
	assert_false(dirty_take(&dirty, &page, 3, &count));
	assert_int_equal(dirty.pages, 0);
}

/* A host's kernel of larger pages logs those; the monitor's own stores are known by the page. */
static void test_large_pages(void **state)
{
	uint64_t page = 0;
	uint32_t count;

	(void)state;
	fake_host_current()->page_size = 65536;
	drain();
	touch(37, true);
	touch(40, true);
	touch(PAGES - 1, true);
	touch(5, false);
	assert_int_equal(dirty_collect(&dirty, &error), 0);
	assert_int_equal(dirty.pages, 16 + 16 + 1);
	assert_true(dirty_take(&dirty, &page, 64, &count));
	assert_int_equal(page, 5);
	assert_int_equal(count, 1);
	page += count;
	assert_true(dirty_take(&dirty, &page, 64, &count));
	assert_int_equal(page, 32);
	assert_int_equal(count, 16);
	page += count;
	assert_true(dirty_take(&dirty, &page, 64, &count));
	assert_int_equal(page, PAGES - 16);
	assert_int_equal(count, 16);
}

/* The pieces of memory have a log each, which stand side by side whatever the pages of the host are. */
static void test_pieces(void **state)
{
	const uint64_t gpa = LAYOUT_PLATFORM_BASE, size = LAYOUT_PLATFORM_SIZE;
	static const uint32_t sizes[] = { 4096, 16384, 65536 };
	static const uint8_t byte = 1;

	(void)state;
	dirty_stop(&dirty);
	assert_int_equal(memory_add(&memory, gpa, size, &error), 0);
	assert_int_equal(host_vm_add_ram(&vm, gpa, memory.region[1].host, size, &error), 0);
	assert_int_equal(dirty_start(&dirty, &vm, &memory, &error), 0);
	assert_int_equal(dirty.pages, PAGES + size / 4096);
	for (size_t n = 0; n < ARRAY_SIZE(sizes); n++) {
		uint64_t each = sizes[n] / 4096, page = 0;
		uint32_t count;

		fake_host_current()->page_size = sizes[n];
		drain();
		touch(PAGES - 1, true);
		fake_guest_write(&vm, gpa, &byte, 1);
		fake_guest_write(&vm, gpa + size - 1, &byte, 1);
		assert_int_equal(dirty_collect(&dirty, &error), 0);
		assert_int_equal(dirty.pages, 3 * each);
		assert_true(dirty_take(&dirty, &page, 64, &count));
		assert_int_equal(page, PAGES - each);
		assert_int_equal(count, 2 * each);
		page += count;
		assert_true(dirty_take(&dirty, &page, 64, &count));
		assert_int_equal(page, PAGES + size / 4096 - each);
		assert_int_equal(count, each);
	}
}

/* Both sources count, and what was not yet taken is not forgotten. */
static void test_random(void **state)
{
	struct random random = random_start();
	bool want[PAGES] = { false };

	(void)state;
	drain();
	for (int round = 0; round < 500; round++) {
		uint64_t page = 0;
		uint32_t count;

		for (uint64_t n = random_between(&random, 0, 20); n; n--) {
			uint64_t place = random_between(&random, 0, PAGES - 1);

			touch(place, random_chance(&random, 2));
			want[place] = true;
		}
		assert_int_equal(dirty_collect(&dirty, &error), 0);
		if (random_chance(&random, 3))
			continue;
		for (; dirty_take(&dirty, &page, (uint32_t)random_between(&random, 1, 5), &count); page += count)
			for (uint32_t n = 0; n < count; n++) {
				assert_true(want[page + n]);
				want[page + n] = false;
			}
		for (uint64_t n = 0; n < PAGES; n++)
			assert_false(want[n]);
	}
}

static void test_host_fails(void **state)
{
	(void)state;
	drain();
	touch(3, true);
	fake_fail(fake_host_current(), FAKE_GET_DIRTY_LOG, 0, 1, EIO);
	touch(4, false);
	assert_int_equal(dirty_collect(&dirty, &error), -EIO);
	assert_int_equal(dirty_collect(&dirty, &error), 0);
	assert_int_equal(dirty.pages, 2);
	dirty_stop(&dirty);
	fake_fail(fake_host_current(), FAKE_SET_DIRTY_LOG, 0, 1, EIO);
	assert_int_equal(dirty_start(&dirty, &vm, &memory, &error), -EIO);
	dirty = (struct dirty){ 0 };
}

/* ---- Pre-copy ---- */

static void test_enough(void **state)
{
	static const struct {
		uint64_t pages, round_bytes, round_ns;
		bool enough;
	} cases[] = {
		{ 0, 0, 0, true },
		{ 0, 1, UINT64_MAX, true },
		/* 1 GB/s: 0.3 s are 300 MB. */
		{ 73242, 1000000000, 1000000000, true },
		{ 73243, 1000000000, 1000000000, false },
		{ 1, 1, UINT64_MAX, false },
		{ UINT64_MAX / 4096, 1, 1000000000, false },
	};

	(void)state;
	for (size_t n = 0; n < ARRAY_SIZE(cases); n++) {
		struct precopy precopy = { .downtime_ns = 300000000,
					   .dirty = { .pages = cases[n].pages },
					   .rounds = 1,
					   .speed = { cases[n].round_bytes, cases[n].round_ns } };
		bool enough;

		assert_int_equal(precopy_check(&precopy, &enough, &error), 0);
		assert_int_equal(enough, cases[n].enough);
	}
}

/* A guest that writes faster than the connection carries is not stopped for long: it is refused, with the numbers. */
static void test_never_enough(void **state)
{
	struct precopy precopy = { .downtime_ns = 300000000,
				   .dirty = { .pages = 25600 },
				   .rounds = PRECOPY_MISSES_MAX,
				   .misses = PRECOPY_MISSES_MAX - 2,
				   .speed = { 100000000, 1000000000 } };
	bool enough;

	(void)state;
	assert_int_equal(precopy_check(&precopy, &enough, &error), 0);
	assert_int_equal(precopy_check(&precopy, &enough, &error), -ENOBUFS);
	assert_string_equal(error.text,
			    "after 30 rounds 100 MiB are still left, 1048 ms at this connection's speed: "
			    "the guest writes faster than the 300 ms of downtime aimed at allow; let it do less, "
			    "or allow more with --downtime");
}

static void expect_frame(struct channel *peer, enum frame_type type, uint64_t page, size_t size)
{
	struct frame frame;
	struct cursor cursor;

	assert_int_equal(channel_expect(peer, type, &frame, &error), 0);
	assert_int_equal(frame.size, size);
	cursor = cursor_make(frame.data, frame.size);
	if (size)
		assert_int_equal(cursor_u64(&cursor), LAYOUT_RAM_BASE + page * 4096);
}

/* One round of a small machine: runs of zero and of other pages, whole words of the map, then SYNC. */
static void test_round(void **state)
{
	struct channel channel, peer;
	struct precopy precopy = { .channel = &channel };
	int ends[2];

	(void)state;
	dirty_stop(&dirty);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
	channel_open(&channel, ends[0], 30000);
	channel_open(&peer, ends[1], 30000);
	memory.region[0].host[3 * 4096 + 4095] = 1;
	memory.region[0].host[4 * 4096] = 1;
	memory.region[0].host[255 * 4096 + 9] = 1;
	assert_int_equal(channel_send(&peer, FRAME_SYNCED, NULL, 0, &error), 0);
	assert_int_equal(precopy_start(&precopy, &vm, &memory, &error), 0);
	touch(7, true);
	assert_int_equal(precopy_round(&precopy, &error), 0);
	expect_frame(&peer, FRAME_ZEROES, 0, 16);
	expect_frame(&peer, FRAME_PAGES, 3, 8 + 2 * 4096);
	expect_frame(&peer, FRAME_ZEROES, 5, 16);
	expect_frame(&peer, FRAME_PAGES, 7, 8 + 4096);
	expect_frame(&peer, FRAME_ZEROES, 8, 16);
	expect_frame(&peer, FRAME_ZEROES, 64, 16);
	expect_frame(&peer, FRAME_ZEROES, 128, 16);
	expect_frame(&peer, FRAME_ZEROES, 192, 16);
	expect_frame(&peer, FRAME_PAGES, 255, 8 + 4096);
	expect_frame(&peer, FRAME_SYNC, 0, 0);
	assert_int_equal(precopy.rounds, 1);
	assert_true(precopy.speed.bytes == channel.sink.sent);
	/* Written before it was sent, but after logging began: once more. */
	assert_int_equal(precopy.dirty.pages, 1);
	touch(8, false);
	assert_int_equal(precopy_finish(&precopy, &error), 0);
	expect_frame(&peer, FRAME_PAGES, 7, 8 + 2 * 4096);
	precopy_stop(&precopy);
	channel_close(&channel);
	channel_close(&peer);
	dirty = (struct dirty){ 0 };
}

/* The guest writes to a page while it is told how far the round is. */
static void write_meanwhile(void *page, const struct precopy_progress *progress)
{
	(void)progress;
	touch(*(uint64_t *)page, true);
}

/* What was written since the last round goes along; what is written while it goes is left, and has to fit. */
static void test_catch_up(void **state)
{
	struct channel channel, peer;
	struct precopy precopy = { .channel = &channel, .downtime_ns = 300000000 };
	uint64_t meanwhile = 11;
	int ends[2];
	bool enough;

	(void)state;
	dirty_stop(&dirty);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
	channel_open(&channel, ends[0], 30000);
	channel_open(&peer, ends[1], 30000);
	for (int n = 0; n < 3; n++)
		assert_int_equal(channel_send(&peer, FRAME_SYNCED, NULL, 0, &error), 0);
	assert_int_equal(precopy_start(&precopy, &vm, &memory, &error), 0);
	assert_int_equal(precopy_round(&precopy, &error), 0);
	while (channel_expect(&peer, FRAME_ZEROES, &(struct frame){ 0 }, &error) == 0)
		;
	touch(9, true);
	assert_int_equal(precopy_catch_up(&precopy, &enough, &error), 0);
	expect_frame(&peer, FRAME_PAGES, 9, 8 + 4096);
	expect_frame(&peer, FRAME_SYNC, 0, 0);
	assert_true(enough);
	touch(10, true);
	precopy.downtime_ns = 0;
	precopy.speed = (struct precopy_speed){ 1, 1000000000 };
	precopy.progress = write_meanwhile;
	precopy.context = &meanwhile;
	fake_time_set_step(600000000);
	assert_int_equal(precopy_catch_up(&precopy, &enough, &error), 0);
	fake_time_set_step(0);
	expect_frame(&peer, FRAME_PAGES, 10, 8 + 4096);
	assert_false(enough);
	assert_int_equal(precopy.dirty.pages, 1);
	assert_int_equal(precopy.misses, 1);
	precopy_stop(&precopy);
	channel_close(&channel);
	channel_close(&peer);
	dirty = (struct dirty){ 0 };
}

/* A small round of some 100 bytes in 10 ms or more, which raises the speed that is known, and never lowers it. */
static void round_after(struct precopy_speed known, bool raised)
{
	struct channel channel, peer;
	struct precopy precopy = { .channel = &channel, .rounds = 1, .speed = known };
	int ends[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
	channel_open(&channel, ends[0], 30000);
	channel_open(&peer, ends[1], 30000);
	assert_int_equal(channel_send(&peer, FRAME_SYNCED, NULL, 0, &error), 0);
	assert_int_equal(precopy_start(&precopy, &vm, &memory, &error), 0);
	fake_time_set_step(10000000);
	assert_int_equal(precopy_round(&precopy, &error), 0);
	fake_time_set_step(0);
	assert_int_equal(precopy.speed.bytes == channel.sink.sent, raised);
	assert_int_equal(precopy.speed.bytes == known.bytes, !raised);
	precopy_stop(&precopy);
	channel_close(&channel);
	channel_close(&peer);
}

static void test_small_round(void **state)
{
	(void)state;
	dirty_stop(&dirty);
	/* A machine that is nearly empty: its first round sent next to nothing in a long time. */
	round_after((struct precopy_speed){ 16384, 60000000000 }, true);
	round_after((struct precopy_speed){ 100000000, 1000000000 }, false);
	dirty = (struct dirty){ 0 };
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(test_first_round), TEST(test_runs),	   TEST(test_large_pages), TEST(test_random),
		TEST(test_host_fails),	TEST(test_earlier_stores), TEST(test_enough),	   TEST(test_never_enough),
		TEST(test_round),	TEST(test_small_round),	   TEST(test_pieces),	   TEST(test_catch_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
