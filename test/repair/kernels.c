/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Stock Debian kernels on an emulated machine without a hypervisor: the transparent level finds and judges them,
 * running and stopped. One that is newer than the tables is refused.
 */
#include "fixture/images.h"
#include "fixture/port.h"
#include "fixture/run.h"

#include <stdlib.h>

#define SEARCHES 5

static const uint32_t rate = 25000000;

static void check_found(const struct sc_guest_port *port, const char *release)
{
	struct sc_arena arena = { .memory = malloc(SC_REPAIR_ARENA_SIZE), .size = SC_REPAIR_ARENA_SIZE };
	char clocksource[SC_CLOCKSOURCE_TEXT_MAX];
	struct sc_kernel kernel;
	struct sc_refusal why;

	assert_non_null(arena.memory);
	if (sc_kernel_find(port, &arena, &kernel, &why) || sc_kernel_clocksource(&kernel, clocksource, &why))
		fail_msg("%s is refused: %s", release, why.text);
	assert_string_equal(kernel.release, release);
	assert_string_equal(clocksource, "arch_sys_counter");
	assert_non_null(kernel.known_by);
	free(arena.memory);
}

static bool is_new(const struct sc_guest_port *port, const char *release)
{
	struct sc_arena arena = { .memory = malloc(SC_REPAIR_ARENA_SIZE), .size = SC_REPAIR_ARENA_SIZE };
	struct sc_kernel kernel;
	struct sc_refusal why;

	assert_non_null(arena.memory);
	bool new = images_is_new(release, sc_kernel_find(port, &arena, &kernel, &why), &why);

	free(arena.memory);
	return new;
}

static void check_kernel(const char *image)
{
	struct run run;
	struct port port;

	run_begin(&run, image, EMULATOR_OLD_CPU, load_plain(), rate);
	run_stop(&run);
	struct sc_guest_port seen = port_open(&port, &run.guest, &run.state);

	if (is_new(&seen, run.release)) {
		stream_close(&run.state);
		run_end(&run);
		skip();
	}
	check_found(&seen, run.release);
	emulator_continue(&run.emulator);
	for (int n = 0; n < SEARCHES; n++)
		check_found(&seen, run.release);
	assert_false(process_has_ended(run.emulator.process));
	printf("%s is found, running and stopped\n", run.release);
	stream_close(&run.state);
	run_end(&run);
}

static void test_cloud_kernel_is_found(void **state)
{
	(void)state;
	check_kernel("out/kernel/Image");
}

static void test_generic_kernel_is_found(void **state)
{
	(void)state;
	check_kernel("out/kernel/generic-Image");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_cloud_kernel_is_found, process_set_up, process_tear_down),
		cmocka_unit_test_setup_teardown(test_generic_kernel_is_found, process_set_up, process_tear_down),
	};

	return process_run_tests(tests, ARRAY_SIZE(tests));
}
