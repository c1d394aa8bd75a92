/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What judges a stock kernel's clocks sees what it should: nothing where the counter goes on at the same rate in
 * another emulator, and the truth where its rate changes and nobody repairs the kernel.
 */
#include "fixture/run.h"

#include <stdlib.h>
#include <string.h>

#define CLOUD "out/kernel/Image"
#define LIFE_MS 1000

static const uint32_t rate = 25000000, other_rate = 62500000;

static void expect_wrong(struct run *run, const char *complaint)
{
	unsigned int complaints;
	char *text = run_judge(run, &complaints);

	if (!complaints || !strstr(text, complaint))
		fail_msg("\"%s\" is not among %u complaints:\n%s", complaint, complaints, text);
	free(text);
}

static void test_same_rate_changes_nothing(void **state)
{
	struct run run;

	(void)state;
	run_begin(&run, CLOUD, EMULATOR_OLD_CPU, load_plain(), rate);
	for (int n = 0; n < 3; n++) {
		run_stop(&run);
		run_start(&run, rate, run.now);
		run_go_on(&run, LIFE_MS);
	}
	run_go_on(&run, LIFE_MS);
	run_stop(&run);
	run_expect_right(&run);
	stream_close(&run.state);
	run_end(&run);
}

static void test_other_rate_is_seen(void **state)
{
	struct run run;

	(void)state;
	run_begin(&run, CLOUD, EMULATOR_OLD_CPU, load_plain(), rate);
	run_stop(&run);
	run_start(&run, other_rate, run.now);
	run_go_on(&run, LIFE_MS);
	run_stop(&run);
	expect_wrong(&run, "mono differs from truth");
	expect_wrong(&run, "from life 0 to 1 mono steps");
	stream_close(&run.state);
	run_end(&run);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_same_rate_changes_nothing, process_set_up, process_tear_down),
		cmocka_unit_test_setup_teardown(test_other_rate_is_seen, process_set_up, process_tear_down),
	};

	return process_run_tests(tests, ARRAY_SIZE(tests));
}
