/* SPDX-License-Identifier: BSD-2-Clause */
/* Where the relay's fault begins: exactly there, however the stream is cut into pieces. */
#include "unit.h"
#include "../../lab/relay/place.h"
#include "../property/random.h"

#include <string.h>

static void expect_place(const char *text, uint32_t type, uint32_t nth, uint64_t bytes)
{
	struct place place;

	assert_true(place_parse(text, &place));
	assert_int_equal(place.type, type);
	assert_int_equal(place.nth, nth);
	assert_int_equal(place.bytes, bytes);
}

static void takes_places(void **state)
{
	(void)state;
	expect_place("0", 0, 0, 0);
	expect_place("8000000000", 0, 0, 8000000000);
	expect_place("GO", FRAME_GO, 1, 0);
	expect_place("STAMPED:12", FRAME_STAMPED, 12, 0);
	expect_place("STATE+100", FRAME_STATE, 1, 100);
	expect_place("PAGES:3+9", FRAME_PAGES, 3, 9);
}

static void refuses_what_is_none(void **state)
{
	static const char *const texts[] = {
		"", "G", "GOO", "go", "GO:", "GO:0", "GO+", "GO:1:2", "GO+1x", "12x", "-1"
	};
	struct place place;

	(void)state;
	for (size_t n = 0; n < ARRAY_SIZE(texts); n++)
		assert_false(place_parse(texts[n], &place));
}

/* A stream: frame types, with so many bytes of content each. */
static const struct {
	enum frame_type type;
	uint32_t size;
} frames[] = {
	{ FRAME_HELLO, 40 }, { FRAME_PAGES, 4104 }, { FRAME_SYNC, 0 }, { FRAME_PAGES, 8200 }, { FRAME_GO, 0 },
};

static size_t stream_make(uint8_t *stream)
{
	size_t size = 0;

	for (size_t n = 0; n < ARRAY_SIZE(frames); n++) {
		frame_put_header(stream + size, frames[n].type, frames[n].size);
		memset(stream + size + FRAME_HEADER_SIZE, FRAME_GO, frames[n].size);
		size += FRAME_HEADER_SIZE + frames[n].size;
	}
	return size;
}

/* Where the fault begins if the stream comes in pieces of at most `piece` bytes; SIZE_MAX: nowhere. */
static size_t fault_at(const char *text, uint64_t piece, struct random *random)
{
	static uint8_t stream[20000];
	size_t size = stream_make(stream), passed = 0, come = 0;
	bool reached = false;
	struct place place;
	struct flow flow;

	assert_true(place_parse(text, &place));
	flow = flow_make(&place, true);
	while (come < size && !reached) {
		uint64_t more = random_between(random, 1, piece);

		come = size - come > more ? come + more : size;
		passed += flow_pass(&flow, &place, stream + passed, come - passed, &reached);
		assert_true(passed <= come);
		assert_true(reached || come - passed < FRAME_HEADER_SIZE);
	}
	assert_true(reached || passed == size);
	return reached ? passed : SIZE_MAX;
}

static void begins_at_the_place(void **state)
{
	const size_t second = 48 + 4112 + 8;
	const struct {
		const char *text;
		size_t at;
	} cases[] = {
		{ "0", 0 },
		{ "5", 5 },
		{ "9999", 9999 },
		{ "HELLO", 0 },
		{ "HELLO+3", 3 },
		{ "PAGES", 48 },
		{ "PAGES+8", 56 },
		{ "PAGES:2", second },
		{ "PAGES:2+100", second + 100 },
		{ "GO", second + 8208 },
		{ "GO+8", second + 8216 },
		{ "SYNC+7", second - 1 },
		{ "PAGES:3", SIZE_MAX },
		{ "GO:2", SIZE_MAX },
	};
	struct random random = random_start();

	(void)state;
	for (size_t n = 0; n < ARRAY_SIZE(cases); n++)
		for (uint64_t piece = 1; piece < 20000; piece = piece * 3 + 1)
			assert_true(fault_at(cases[n].text, piece, &random) == cases[n].at);
}

/* Types are counted over all connections and both directions; bytes in the source's first direction only. */
static void counts_over_all_flows(void **state)
{
	uint8_t go[FRAME_HEADER_SIZE];
	struct flow flow[2];
	struct place place;
	bool reached;

	(void)state;
	frame_put_header(go, FRAME_GO, 0);
	assert_true(place_parse("GO:2", &place));
	for (int n = 0; n < 2; n++)
		flow[n] = flow_make(&place, n == 0);
	assert_int_equal(flow_pass(&flow[0], &place, go, sizeof(go), &reached), sizeof(go));
	assert_false(reached);
	assert_int_equal(flow_pass(&flow[1], &place, go, sizeof(go), &reached), 0);
	assert_true(reached);

	assert_true(place_parse("4", &place));
	for (int n = 0; n < 2; n++)
		flow[n] = flow_make(&place, n == 0);
	assert_int_equal(flow_pass(&flow[1], &place, go, sizeof(go), &reached), sizeof(go));
	assert_int_equal(flow_pass(&flow[0], &place, go, sizeof(go), &reached), 4);
	assert_true(reached);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(takes_places),
		cmocka_unit_test(refuses_what_is_none),
		cmocka_unit_test(begins_at_the_place),
		cmocka_unit_test(counts_over_all_flows),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
