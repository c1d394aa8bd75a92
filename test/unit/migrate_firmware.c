/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A machine with firmware moves: both banks of the flash, a command that is under way, the files of the configuration
 * device, and the file of the variables, which belongs to the host where the guest runs.
 */
#include "pair_fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HZ 1000000000u

static char folder[] = "/tmp/seaclock-moves-XXXXXX";
static struct machine_config config = {
	.name = "pair",
	.vcpus = 1,
	.memory_size = LAYOUT_RAM_MIN,
	.model = CONFIG_MODEL_NEW,
	.firmware = "/nowhere/code",
};

static int make_folder(void **state)
{
	(void)state;
	if (!mkdtemp(folder))
		return -1;
	return snprintf(config.variables, sizeof(config.variables), "%s/vars", folder) > 0 ? 0 : -1;
}

static int remove_folder(void **state)
{
	(void)state;
	unlink(config.variables);
	return rmdir(folder);
}

static uint8_t *bank(struct machine *machine, uint64_t gpa)
{
	return memory_region(&machine->memory, gpa)->host;
}

static void access_flash(struct machine *machine, bool is_write, uint32_t *value)
{
	uint8_t data[8] = { 0 };

	memcpy(data, value, sizeof(*value));
	assert_int_equal(bus_access(&machine->devices.bus, LAYOUT_FLASH_VARIABLES_BASE + 8, 4, is_write, data), 0);
	memcpy(value, data, sizeof(*value));
}

static void store(struct machine *machine, uint32_t value)
{
	access_flash(machine, true, &value);
}

static bool file_is_there(void)
{
	return !access(config.variables, F_OK);
}

static void test_moves(void **state)
{
	struct error error;
	uint32_t value = 0;

	(void)state;
	pair_open_machine(&pair, &config, HZ, HZ, 5);
	memset(bank(&pair.source, LAYOUT_FLASH_CODE_BASE) + 4096, 0xc0, 4096);
	assert_int_equal(fwcfg_put(&pair.source.devices.fwcfg, "etc/file", "text", 4, &error), 0);
	store(&pair.source, 0x00200020);
	store(&pair.source, 0x00d000d0);
	store(&pair.source, 0x00400040);
	pair_migrate(&pair);
	if (pair.source_state != SOURCE_GONE)
		fprintf(stderr, "source: %s; target: %s\n", pair.source_error.text, pair.target_error.text);
	assert_int_equal(pair.source_state, SOURCE_GONE);
	assert_int_equal(bank(&pair.target, LAYOUT_FLASH_CODE_BASE)[8191], 0xc0);
	assert_int_equal(bank(&pair.target, LAYOUT_FLASH_CODE_BASE)[8192], 0);
	assert_false(fake_vm_shows(&pair.target.vm, LAYOUT_FLASH_VARIABLES_BASE));
	/* The word that the command is about comes here. */
	store(&pair.target, 0x12345678);
	store(&pair.target, 0x00ff00ff);
	access_flash(&pair.target, false, &value);
	assert_int_equal(value, 0x12345678);
	assert_true(fake_vm_shows(&pair.target.vm, LAYOUT_FLASH_VARIABLES_BASE));
	assert_int_equal(pair.target.devices.fwcfg.files, 1);
	assert_memory_equal(pair.target.devices.fwcfg.file[0].data, "text", 4);
	assert_int_equal(unlink(config.variables), 0);
	devices_quiesce(&pair.target.devices);
	assert_true(file_is_there());
}

/* Firmware has no clock on the page. */
static void test_other_rate(void **state)
{
	(void)state;
	pair_open_machine(&pair, &config, HZ, 25000000, 5);
	pair_migrate(&pair);
	assert_true(pair_stayed(&pair));
	assert_non_null(strstr(pair.source_error.text, "from a counter of 1000 MHz to one of 25 MHz"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, pair_set_up, pair_tear_down)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(test_moves),
		TEST(test_other_rate),
	};

	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
