/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Hostile streams to the target: a good one, damaged in every way. A stream is refused with a sentence, or it is a
 * whole one that ends with GO; the sanitizers and the page behind the guest's memory watch the rest.
 */
#include "unit.h"
#include "../fake/source_script.h"
#include "../property/random.h"
#include "../wait_scale.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#define LIMIT_S 100
#define FRAMES_MAX 16u

static struct buffer good;
static struct error error;
static bool ran;

/* The frames of the good stream. */
static struct {
	size_t at;
	size_t size;
} frames[FRAMES_MAX];
static uint32_t frame_count;

static void find_frames(void)
{
	size_t at = 0;

	frame_count = 0;
	while (at < good.size) {
		struct cursor cursor = cursor_make(good.data + at + 4, 4);
		size_t size = FRAME_HEADER_SIZE + cursor_u32(&cursor);

		assert_true(frame_count < FRAMES_MAX);
		frames[frame_count].at = at;
		frames[frame_count++].size = size;
		at += size;
	}
}

static int set_up(void **state)
{
	(void)state;
	alarm(wait_scaled(LIMIT_S));
	fake_reset();
	source_script_record(&good);
	find_frames();
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	buffer_free(&good);
	alarm(0);
	return 0;
}

static int play(const struct buffer *stream)
{
	int result;

	error.text[0] = '\0';
	result = source_script_play(stream->data, stream->size, &ran, &error);
	/* It runs if, and only if, it was taken; and what was refused has its sentence. */
	assert_int_equal(ran, !result);
	assert_true(!result || error.text[0]);
	return result;
}

static void add_frame(struct buffer *stream, uint32_t n)
{
	buffer_put(stream, good.data + frames[n].at, frames[n].size);
}

static void test_good(void **state)
{
	(void)state;
	assert_int_equal(play(&good), 0);
	assert_int_equal(good.data[frames[frame_count - 1].at], FRAME_GO);
}

/* The stream ends at any byte: it is never taken. */
static void test_truncated(void **state)
{
	struct random random = random_start();
	struct buffer stream = { 0 };

	(void)state;
	for (uint32_t n = 0; n < frame_count; n++)
		for (int place = 0; place < 4; place++) {
			const size_t sizes[] = { 0, FRAME_HEADER_SIZE - 1, random_next(&random) % frames[n].size,
						 frames[n].size - 1 };

			buffer_clear(&stream);
			buffer_put(&stream, good.data, frames[n].at + sizes[place]);
			assert_int_equal(play(&stream), -ECONNRESET);
		}
	buffer_free(&stream);
}

/* Two frames change places; one is left out; one comes twice. */
static void test_order(void **state)
{
	struct buffer stream = { 0 };

	(void)state;
	for (uint32_t a = 0; a < frame_count; a++)
		for (uint32_t b = a; b < frame_count; b++) {
			buffer_clear(&stream);
			for (uint32_t n = 0; n < frame_count; n++)
				if (a != b || n != a)
					add_frame(&stream, n == a ? b : n == b ? a : n);
			/* HELLO and MACHINE first, STATE and GO last: only what is between has no place of its own. */
			if (a <= 1 || b >= frame_count - 2)
				assert_int_not_equal(play(&stream), 0);
			else
				assert_int_equal(play(&stream), 0);
		}
	buffer_free(&stream);
}

static void test_twice(void **state)
{
	struct buffer stream = { 0 };

	(void)state;
	for (uint32_t twice = 0; twice < frame_count; twice++) {
		enum frame_type type = good.data[frames[twice].at];

		buffer_clear(&stream);
		for (uint32_t n = 0; n < frame_count; n++) {
			add_frame(&stream, n);
			if (n == twice)
				add_frame(&stream, n);
		}
		/* After GO nobody reads any more. */
		assert_int_equal(play(&stream),
				 type == FRAME_HELLO || type == FRAME_MACHINE || type == FRAME_STATE ? -EPROTO : 0);
	}
	buffer_free(&stream);
}

/* A frame that only a target sends, or GO before the state, at every place. */
static void test_out_of_place(void **state)
{
	static const struct {
		enum frame_type type;
		const char *sentence;
	} cases[] = {
		{ FRAME_WELCOME, "sent WELCOME, which a source never sends here" },
		{ FRAME_DONE, "sent DONE, which a source never sends here" },
		{ FRAME_READY, "sent READY, which a source never sends here" },
		{ FRAME_HELLO, "sent HELLO, which a source never sends here" },
		{ FRAME_MACHINE, "sent MACHINE, which a source never sends here" },
		{ FRAME_GO, "sent GO before the machine's state" },
		{ FRAME_ABORT, "the other side gives up, and gives no reason" },
	};
	struct buffer stream = { 0 };

	(void)state;
	for (size_t c = 0; c < ARRAY_SIZE(cases); c++)
		for (uint32_t n = 2; n < frame_count - 1; n++) {
			buffer_clear(&stream);
			buffer_put(&stream, good.data, frames[n].at);
			frame_put_header(buffer_reserve(&stream, FRAME_HEADER_SIZE), cases[c].type, 0);
			buffer_put(&stream, good.data + frames[n].at, good.size - frames[n].at);
			assert_int_not_equal(play(&stream), 0);
			assert_non_null(strstr(error.text, cases[c].sentence));
		}
	buffer_free(&stream);
}

/* Memory that the guest does not have. */
static void test_pages_elsewhere(void **state)
{
	static const uint64_t places[] = { 0,
					   LAYOUT_RAM_BASE - 4096,
					   LAYOUT_RAM_BASE + 1,
					   LAYOUT_RAM_BASE + LAYOUT_RAM_MIN,
					   LAYOUT_RAM_BASE + LAYOUT_RAM_MIN - 2048,
					   UINT64_MAX,
					   UINT64_MAX - 4095,
					   1ull << 63 };
	struct buffer stream = { 0 };

	(void)state;
	for (uint32_t n = 0; n < frame_count; n++) {
		enum frame_type type = good.data[frames[n].at];

		for (size_t p = 0; (type == FRAME_PAGES || type == FRAME_ZEROES) && p < ARRAY_SIZE(places); p++) {
			buffer_clear(&stream);
			buffer_put(&stream, good.data, good.size);
			for (int byte = 0; byte < 8; byte++)
				stream.data[frames[n].at + FRAME_HEADER_SIZE + byte] = (uint8_t)(places[p] >> 8 * byte);
			assert_int_equal(play(&stream), -EPROTO);
			assert_string_equal(error.text, "the stream names memory that the guest does not have");
		}
	}
	buffer_free(&stream);
}

static void test_count_of_zeroes(void **state)
{
	static const uint64_t counts[] = { 0, 65, 1ull << 32, 1ull << 52, (1ull << 52) + 1, UINT64_MAX };
	struct buffer stream = { 0 };

	(void)state;
	for (uint32_t n = 0; n < frame_count; n++)
		for (size_t c = 0; good.data[frames[n].at] == FRAME_ZEROES && c < ARRAY_SIZE(counts); c++) {
			buffer_clear(&stream);
			buffer_put(&stream, good.data, good.size);
			for (int byte = 0; byte < 8; byte++)
				stream.data[frames[n].at + FRAME_HEADER_SIZE + 8 + byte] =
					(uint8_t)(counts[c] >> 8 * byte);
			assert_int_equal(play(&stream), -EPROTO);
		}
	buffer_free(&stream);
}

/* A state with something behind it, or cut short with a header that says so. */
static void test_state_length(void **state)
{
	struct buffer stream = { 0 };
	size_t at = frames[frame_count - 2].at, size = frames[frame_count - 2].size - FRAME_HEADER_SIZE;
	const uint8_t zero = 0;

	(void)state;
	assert_int_equal(good.data[at], FRAME_STATE);
	for (size_t cut = 0; cut <= size + 1; cut += cut < 200 || cut + 200 > size ? 1 : 7) {
		if (cut == size)
			continue;
		buffer_clear(&stream);
		buffer_put(&stream, good.data, at + FRAME_HEADER_SIZE + (cut < size ? cut : size));
		if (cut > size)
			buffer_put(&stream, &zero, 1);
		frame_put_header(stream.data + at, FRAME_STATE, (uint32_t)cut);
		add_frame(&stream, frame_count - 1);
		assert_int_equal(play(&stream), -EPROTO);
	}
	buffer_free(&stream);
}

/* The state begins with a section of the difference of the clocks and the policy, of which there are two. */
static void test_policy(void **state)
{
	size_t at = frames[frame_count - 2].at + FRAME_HEADER_SIZE + SECTION_HEADER_SIZE + sizeof(uint64_t);

	(void)state;
	good.data[at] = SC_CLOCK_FREEZE;
	assert_int_equal(play(&good), 0);
	good.data[at] = SC_CLOCK_FREEZE + 1;
	assert_int_equal(play(&good), -EPROTO);
	assert_string_equal(error.text, "the machine's state in the stream is damaged");
}

static void test_random(void **state)
{
	struct random random = random_start();
	struct buffer stream = { 0 };
	uint32_t taken = 0;

	(void)state;
	for (int round = 0; round < 800; round++) {
		buffer_clear(&stream);
		buffer_put(&stream, good.data, good.size);
		for (uint64_t n = random_between(&random, 1, 4); n; n--) {
			uint64_t frame = random_between(&random, 0, frame_count - 1);
			uint64_t place = frames[frame].at + random_wide(&random) % frames[frame].size;

			stream.data[place] = random_chance(&random, 2)
						     ? (uint8_t)random_next(&random)
						     : stream.data[place] ^ 1u << random_between(&random, 0, 7);
		}
		taken += !play(&stream);
	}
	buffer_free(&stream);
	assert_true(taken < 800);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(test_good),
		TEST(test_truncated),
		TEST(test_order),
		TEST(test_twice),
		TEST(test_out_of_place),
		TEST(test_pages_elsewhere),
		TEST(test_count_of_zeroes),
		TEST(test_state_length),
		TEST(test_policy),
		TEST(test_random),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
