/* SPDX-License-Identifier: BSD-2-Clause */
/* What is refused for a moment is tried again, what is refused for good is not, and nobody waits for ever. */
#include "unit.h"

#include "base/busy.h"

#include <errno.h>

struct attempts {
	int busy; /* so many are refused for the moment */
	int then;
	int made;
};

static int attempt(void *context)
{
	struct attempts *attempts = context;

	return attempts->made++ < attempts->busy ? -EBUSY : attempts->then;
}

static void test_retry(void **state)
{
	static const struct {
		int busy, then;
	} cases[] = { { 0, 0 }, { 1, 0 }, { 20, 0 }, { 0, -EIO }, { 20, -EINVAL } };

	(void)state;
	for (size_t n = 0; n < ARRAY_SIZE(cases); n++) {
		struct attempts attempts = { .busy = cases[n].busy, .then = cases[n].then };

		assert_int_equal(busy_retry(attempt, &attempts), cases[n].then);
		assert_int_equal(attempts.made, cases[n].busy + 1);
	}
}

static void test_gives_up(void **state)
{
	struct attempts attempts = { .busy = 1000000 };

	(void)state;
	assert_int_equal(busy_retry(attempt, &attempts), -EBUSY);
	assert_in_range(attempts.made, 100, 1000);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_retry),
		cmocka_unit_test(test_gives_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
