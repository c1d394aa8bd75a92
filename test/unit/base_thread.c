/* SPDX-License-Identifier: BSD-2-Clause */
/* A thread knows its kind from its first act on, and shows it in its name. */
#include "unit.h"

#include "base/thread.h"

#include <string.h>
#include <sys/prctl.h>

struct sight {
	enum thread_kind kind;
	char name[16], numbered[16];
};

static void *look(void *context)
{
	struct sight *sight = context;

	sight->kind = thread_kind();
	prctl(PR_GET_NAME, sight->name);
	thread_number(7);
	prctl(PR_GET_NAME, sight->numbered);
	return sight;
}

static void test_kinds(void **state)
{
	(void)state;
	for (enum thread_kind kind = THREAD_MAIN; kind < THREAD_KINDS; kind++) {
		struct sight sight;
		pthread_t thread;
		void *returned;

		assert_int_equal(thread_start(&thread, kind, look, &sight), 0);
		pthread_join(thread, &returned);
		assert_ptr_equal(returned, &sight);
		assert_int_equal(sight.kind, kind);
		assert_string_equal(sight.name, thread_kind_name(kind));
		assert_memory_equal(sight.numbered, sight.name, strlen(sight.name));
		assert_string_equal(sight.numbered + strlen(sight.name), "7");
	}
}

static void test_main(void **state)
{
	(void)state;
	assert_int_equal(thread_kind(), THREAD_MAIN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_kinds),
		cmocka_unit_test(test_main),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
