/* SPDX-License-Identifier: BSD-2-Clause */
/* The token bucket: no more leaves than it allows, a rate is reached, and no sum overflows. */
#include "unit.h"
#include "../property/random.h"

#include "migrate/bucket.h"

#define S 1000000000ull
#define MIB (1ull << 20)
#define BYTE (S / MIB + 3) /* at a MiB a second, with what is rounded */

/* Without a bound nobody waits. */
static void test_unbounded(void **state)
{
	struct bucket bucket = { .rate = 0 };

	(void)state;
	assert_int_equal(bucket_take(&bucket, UINT64_MAX, sc_ns(0)).v, 0);
	assert_int_equal(bucket_take(&bucket, 1, sc_ns(1)).v, 0);
}

static void test_waits(void **state)
{
	struct bucket bucket = { .rate = MIB };
	sc_ns_t now = sc_ns(100 * S);

	(void)state;
	/* The burst is free. */
	assert_int_equal(bucket_take(&bucket, MIB / 200, now).v, 0);
	assert_in_range(bucket_take(&bucket, MIB, now).v, S - S / 200 - BYTE, S - S / 200);
	/* What is owed stays owed, and becomes less as time passes. */
	now.v += S / 2;
	assert_in_range(bucket_take(&bucket, 0, now).v, S / 2 - S / 200 - BYTE, S / 2 - S / 200);
	/* Nobody saves up more than the burst. */
	now.v += 3600 * S;
	assert_in_range(bucket_take(&bucket, MIB, now).v, S - BUCKET_BURST_NS, S - BUCKET_BURST_NS + 1);
}

static void test_edges(void **state)
{
	static const uint64_t edges[] = { 0, 1, S, 1ull << 50, INT64_MAX, UINT64_MAX };

	(void)state;
	for (size_t n = 0; n < ARRAY_SIZE(edges) * ARRAY_SIZE(edges); n++) {
		struct bucket bucket = { .rate = n % 2 ? 1 : 1ull << 50 };
		uint64_t bytes = edges[n / ARRAY_SIZE(edges)], now = edges[n % ARRAY_SIZE(edges)];
		uint64_t wait = bucket_take(&bucket, bytes, sc_ns(now)).v;

		assert_true(wait <= UINT64_MAX - now);
		/* What does not fit into a time is not taken for little. */
		if (bytes >= 1ull << 62 && n % 2 && now <= S)
			assert_true(wait >= 1ull << 62);
	}
}

/*
 * A sender of pieces that waits as it is told, and often too long, as poll() does: in every time, from any piece to any
 * later one, no more leaves than the rate allows for it and the burst, and one piece. Where waits end well within the
 * burst the rate is reached.
 */
static void walk(struct random *random, uint64_t late_ns, bool reached)
{
	enum {
		PIECES = 300
	};
	struct bucket bucket = { .rate = random_between(random, MIB, 1000 * MIB) };
	static uint64_t at[PIECES], sent[PIECES + 1];
	uint64_t now = random_wide(random) >> 2, piece_max = bucket.rate / 500, began = now;

	for (int n = 0; n < PIECES; n++) {
		uint64_t bytes = random_between(random, 1, piece_max);

		at[n] = now;
		sent[n + 1] = sent[n] + bytes;
		now += bucket_take(&bucket, bytes, sc_ns(now)).v + random_between(random, 0, late_ns);
	}
	for (int from = 0; from < PIECES; from++)
		for (int to = from; to < PIECES; to++)
			assert_true(sent[to + 1] - sent[from] <=
				    sc_muldiv(bucket.rate, at[to] - at[from] + BUCKET_BURST_NS, S) + 2 * piece_max);
	if (reached)
		assert_true(sent[PIECES] >= sc_muldiv(bucket.rate, now - began, S) * 95 / 100);
}

static void test_walk(void **state)
{
	struct random random = random_start();

	(void)state;
	for (int n = 0; n < 20; n++) {
		walk(&random, BUCKET_BURST_NS / 10, true);
		walk(&random, 20 * BUCKET_BURST_NS, false);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_unbounded),
		cmocka_unit_test(test_waits),
		cmocka_unit_test(test_edges),
		cmocka_unit_test(test_walk),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
