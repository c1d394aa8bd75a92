/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A guest that resets its machine while that is being migrated: whenever it does, it starts anew here, once the
 * migration has given up, and at once. It never runs on the other host.
 */
#include "pair_fixture.h"
#include "boot_fixture.h"
#include "../fake/driver.h"

#include <stdio.h>
#include <stdlib.h>

#define FROM_HZ 25000000u
#define TO_HZ 1000000000u

static char kernel[] = "/tmp/seaclock-kernel-XXXXXX";

static void open_guest(void)
{
	pair_open(&pair, FROM_HZ, TO_HZ, 2, 3);
	pair.source.config.on_reboot = CONFIG_RESET;
	snprintf(pair.source.config.kernel, sizeof(pair.source.config.kernel), "%s", kernel);
	pair_load_driver(&pair);
}

static uint32_t restarts(void)
{
	return __atomic_load_n(&pair.source.restarts, __ATOMIC_RELAXED);
}

static void expect_restarted(void)
{
	for (unsigned int n = 0; n < wait_scaled(5000) && !restarts(); n++)
		usleep(1000);
	assert_int_equal(pair.source_state, SOURCE_RUNNING);
	assert_string_equal(pair.source_error.text,
			    "pair starts anew here, for its guest has reset it: it cannot be migrated before");
	assert_int_equal(restarts(), 1);
	assert_true(fake_vcpu_wait_inside(vcpu(&pair.source, 0), true));
	assert_int_equal(machine_get_state(&pair.source), MACHINE_RUNNING);
	assert_int_equal(pair.source.clock.partition.reference_tsc, 0);
	assert_int_equal(fake_host_entries(&pair.host[1]), 0);
	assert_true(pair.target_result != 0);
}

/* Until the machine knows it. */
static void reset_guest(struct machine *machine)
{
	const struct fake_exit reset = { .exit = { .kind = HOST_EXIT_RESET } };
	struct error ignored;

	fake_vcpu_script(vcpu(machine, 1), &reset);
	for (int n = 0; n < 5000 && !machine_check_alive(machine, "moved", &ignored); n++)
		usleep(1000);
}

/* While its memory goes out: the next look at what is watched ends the migration. */
static size_t tap_resets(struct pair *p, enum pair_way way, uint32_t index, uint8_t *frame, size_t size)
{
	(void)frame;
	(void)size;
	if (way == PAIR_TO_TARGET && index == 3)
		reset_guest(&p->source);
	return PAIR_PASS;
}

static void test_while_memory_goes(void **state)
{
	(void)state;
	open_guest();
	pair.tap = tap_resets;
	pair_migrate(&pair);
	expect_restarted();
}

/* After the last look before the stop. */
static void progress_resets(void *context, const struct precopy_progress *progress)
{
	struct pair *p = context;

	if (progress->round == 1)
		reset_guest(&p->source);
}

static void test_before_the_stop(void **state)
{
	(void)state;
	open_guest();
	pair.options.progress = progress_resets;
	pair.options.context = &pair;
	pair_migrate(&pair);
	expect_restarted();
}

/* ---- When it is asked for something ---- */

static struct driver driver;
static uint64_t reset_at; /* SC_ASK_* */

/* vCPU 1 resets the machine as soon as that is asked. */
static void second_run(struct fake_vcpu *vcpu, void *context)
{
	const struct fake_exit reset = { .exit = { .kind = HOST_EXIT_RESET } };
	struct clock *clock = context;
	uint64_t asked;

	lock_take(&clock->lock);
	asked = clock->partition.asked;
	lock_drop(&clock->lock);
	if (asked == reset_at && reset_at)
		fake_vcpu_push(vcpu, &reset);
}

static void test_asked(void **state)
{
	static const uint64_t cases[] = { SC_ASK_PREPARE, SC_ASK_HOLD };

	for (size_t n = 0; n < ARRAY_SIZE(cases); n++) {
		if (n) {
			pair_tear_down(state);
			pair_set_up(state);
		}
		open_guest();
		driver = (struct driver){ .machine = &pair.source, .prepares = cases[n] == SC_ASK_HOLD };
		driver_start(&driver);
		reset_at = cases[n];
		fake_vcpu_set_guest(vcpu(&pair.source, 1), second_run, &pair.source.clock);
		pair_migrate(&pair);
		expect_restarted();
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, pair_set_up, pair_tear_down)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(test_while_memory_goes),
		TEST(test_before_the_stop),
		TEST(test_asked),
	};
	uint8_t image[IMAGE_FILE_SIZE];
	int fd = mkstemp(kernel), failed;

	fixture_image(image);
	if (fd < 0 || write(fd, image, sizeof(image)) != (ssize_t)sizeof(image))
		return EXIT_FAILURE;
	close(fd);
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	unlink(kernel);
	return failed;
}
