/* SPDX-License-Identifier: BSD-2-Clause */
/* What a console has said lately: readers who come early, late, or are too slow. */
#include "unit.h"

#include "dev/backlog.h"

#include <errno.h>
#include <string.h>

static struct backlog backlog;
static uint32_t woken;

static void wake(void *context)
{
	assert_ptr_equal(context, &woken);
	woken++;
}

static int set_up(void **state)
{
	(void)state;
	woken = 0;
	backlog_init(&backlog);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	backlog_destroy(&backlog);
	return 0;
}

static void say(const char *text)
{
	backlog_put(&backlog, text, strlen(text));
}

static void expect(const char *text, uint64_t lost)
{
	char read[64] = "";
	uint64_t missed;

	assert_int_equal(backlog_read(&backlog, read, sizeof(read), &missed), strlen(text));
	assert_memory_equal(read, text, strlen(text));
	assert_int_equal(missed, lost);
}

static void test_reader(void **state)
{
	(void)state;
	say("before");
	assert_int_equal(backlog_attach(&backlog, wake, &woken), 0);
	assert_int_equal(woken, 1);
	expect("before", 0);
	expect("", 0);
	say("");
	assert_int_equal(woken, 1);
	say("one");
	say("two"); /* he has not read the one yet */
	assert_int_equal(woken, 2);
	expect("onetwo", 0);
	backlog_detach(&backlog);
	say("three");
	assert_int_equal(woken, 2);
}

/* Who comes next sees what was said to the one before him, and what was said to nobody. */
static void test_next_reader(void **state)
{
	(void)state;
	assert_int_equal(backlog_attach(&backlog, wake, &woken), 0);
	assert_int_equal(woken, 0);
	say("one");
	expect("one", 0);
	assert_int_equal(backlog_attach(&backlog, wake, &woken), -EBUSY);
	backlog_detach(&backlog);
	say("two");
	assert_int_equal(backlog_attach(&backlog, wake, &woken), 0);
	expect("onetwo", 0);
}

static void test_slow_reader(void **state)
{
	static char much[BACKLOG_SIZE];

	(void)state;
	memset(much, 'x', sizeof(much));
	assert_int_equal(backlog_attach(&backlog, wake, &woken), 0);
	say("hello");
	backlog_put(&backlog, much, sizeof(much) - 2);
	assert_int_equal(woken, 1);
	for (uint32_t n = 0; n < BACKLOG_SIZE / 64; n++) {
		char read[64];
		uint64_t missed;

		assert_int_equal(backlog_read(&backlog, read, sizeof(read), &missed), sizeof(read));
		assert_int_equal(missed, n ? 0 : 3);
		assert_int_equal(read[0], n ? 'x' : 'l');
	}
	expect("", 0);
	backlog_put(&backlog, much, sizeof(much));
	say("end");
	backlog_detach(&backlog);
	assert_int_equal(backlog_attach(&backlog, wake, &woken), 0);
	expect("xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx", 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_reader),
		TEST(test_next_reader),
		TEST(test_slow_reader),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
