/* SPDX-License-Identifier: BSD-2-Clause */
/* The connection to a disk's server, by its times alone: attempts, pauses, and how long requests wait. */
#include "unit.h"

#include "dev/disk/nbd_link.h"

#define MS 1000000ull
#define S (1000 * MS)

static struct nbd_link link;
static sc_ns_t now;

static void pass(uint64_t ns)
{
	now.v += ns;
}

static void connect_link(void)
{
	assert_int_equal(nbd_link_step(&link, now), NBD_LINK_CONNECT);
	nbd_link_connected(&link, now);
	assert_int_equal(nbd_link_step(&link, now), NBD_LINK_NOTHING);
}

static int set_up(void **state)
{
	(void)state;
	now = sc_ns(5 * S);
	nbd_link_init(&link, 60, now);
	return 0;
}

static void test_pauses(void **state)
{
	static const uint32_t pauses_ms[] = { 20, 40, 80, 160, 320, 640, 1280, 2000, 2000 };

	(void)state;
	assert_int_equal(nbd_link_timeout_ms(&link, now), 0);
	for (size_t n = 0; n < ARRAY_SIZE(pauses_ms); n++) {
		assert_int_equal(nbd_link_step(&link, now), NBD_LINK_CONNECT);
		nbd_link_lost(&link, now);
		assert_int_equal(nbd_link_timeout_ms(&link, now), pauses_ms[n]);
		pass(pauses_ms[n] * MS - 1);
		assert_int_equal(nbd_link_step(&link, now), NBD_LINK_NOTHING);
		assert_int_equal(nbd_link_timeout_ms(&link, now), 1);
		pass(1);
	}
	/* A connection alone does not make them shorter, an answer does. */
	connect_link();
	nbd_link_lost(&link, now);
	assert_int_equal(nbd_link_timeout_ms(&link, now), 2000);
	pass(2 * S);
	connect_link();
	nbd_link_answered(&link, now);
	nbd_link_lost(&link, now);
	assert_int_equal(nbd_link_timeout_ms(&link, now), 20);
}

static void test_attempt(void **state)
{
	(void)state;
	assert_int_equal(nbd_link_step(&link, now), NBD_LINK_CONNECT);
	assert_int_equal(nbd_link_step(&link, now), NBD_LINK_NOTHING);
	assert_int_equal(nbd_link_timeout_ms(&link, now), NBD_LINK_ATTEMPT_MS);
	pass(NBD_LINK_ATTEMPT_MS * MS - 1);
	assert_int_equal(nbd_link_step(&link, now), NBD_LINK_NOTHING);
	pass(1);
	assert_int_equal(nbd_link_step(&link, now), NBD_LINK_DROP);
}

/* One attempt after the other for so long; none leads anywhere. */
static void fail_attempts(uint64_t ns)
{
	uint64_t end = now.v + ns;

	while (now.v < end) {
		enum nbd_link_action action = nbd_link_step(&link, now);

		assert_int_not_equal(action, NBD_LINK_FAIL);
		if (action == NBD_LINK_CONNECT)
			nbd_link_lost(&link, now);
		pass(MS);
	}
}

static void test_patience(void **state)
{
	(void)state;
	connect_link();
	nbd_link_lost(&link, now);
	/* Nobody waits: it may be away for long. */
	fail_attempts(300 * S);
	nbd_link_wait(&link, true, now);
	fail_attempts(30 * S);
	/* More requests change nothing. */
	nbd_link_wait(&link, true, now);
	fail_attempts(30 * S);
	assert_int_equal(nbd_link_timeout_ms(&link, now), 0);
	assert_int_equal(nbd_link_step(&link, now), NBD_LINK_FAIL);
	nbd_link_wait(&link, false, now);
	fail_attempts(10 * S);
	/* From then on they fail at once, until there is a connection. */
	nbd_link_wait(&link, true, now);
	assert_int_equal(nbd_link_timeout_ms(&link, now), 0);
	assert_int_equal(nbd_link_step(&link, now), NBD_LINK_FAIL);
	nbd_link_wait(&link, false, now);
	pass(2 * S);
	connect_link();
	nbd_link_lost(&link, now);
	nbd_link_wait(&link, true, now);
	fail_attempts(59 * S);
}

static void test_silence(void **state)
{
	(void)state;
	connect_link();
	assert_int_equal(nbd_link_timeout_ms(&link, now), -1);
	pass(100 * S);
	nbd_link_wait(&link, true, now);
	pass(50 * S);
	assert_int_equal(nbd_link_step(&link, now), NBD_LINK_NOTHING);
	nbd_link_answered(&link, now);
	assert_int_equal(nbd_link_timeout_ms(&link, now), 60000);
	pass(60 * S);
	assert_int_equal(nbd_link_step(&link, now), NBD_LINK_FAIL);
}

/* A server that comes late has time to answer, one that only ever takes connections has not. */
static void test_late(void **state)
{
	(void)state;
	nbd_link_wait(&link, true, now);
	pass(59 * S);
	connect_link();
	pass(5 * S);
	assert_int_equal(nbd_link_step(&link, now), NBD_LINK_NOTHING);
	assert_int_equal(nbd_link_timeout_ms(&link, now), 5000);
	nbd_link_lost(&link, now);
	assert_int_equal(nbd_link_step(&link, now), NBD_LINK_FAIL);
}

/* Without patience a server that is there still has time. */
static void test_none(void **state)
{
	(void)state;
	nbd_link_init(&link, 0, now);
	connect_link();
	nbd_link_wait(&link, true, now);
	assert_int_equal(nbd_link_timeout_ms(&link, now), NBD_LINK_SILENCE_MIN_MS);
	assert_int_equal(nbd_link_step(&link, now), NBD_LINK_NOTHING);
	nbd_link_lost(&link, now);
	assert_int_equal(nbd_link_step(&link, now), NBD_LINK_FAIL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_pauses, set_up),   cmocka_unit_test_setup(test_attempt, set_up),
		cmocka_unit_test_setup(test_patience, set_up), cmocka_unit_test_setup(test_silence, set_up),
		cmocka_unit_test_setup(test_late, set_up),     cmocka_unit_test_setup(test_none, set_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
