/* SPDX-License-Identifier: BSD-2-Clause */
/* A machine that boots by firmware: what is where when it starts, again after a reset, and on another host. */
#include "machine_fixture.h"
#include "replace_fixture.h"

#include "machine/payload.h"
#include "machine/state.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#define CODE_SIZE 0x3001u

static char folder[] = "/tmp/seaclock-firmware-XXXXXX";
static struct machine_config described;
static struct boot_source payload;

static int make_folder(void **state)
{
	(void)state;
	return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
	(void)state;
	unlink(described.firmware);
	unlink(described.variables);
	return rmdir(folder);
}

/* A file of so many bytes, each `byte`. */
static void store(const char *path, size_t size, uint8_t byte)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	for (size_t n = 0; n < size; n++)
		fputc(byte, file);
	fclose(file);
}

static int set_up_firmware(void **state)
{
	(void)state;
	alarm(wait_scaled(LIMIT_S));
	fake_reset();
	described = config;
	snprintf(described.firmware, sizeof(described.firmware), "%s/code", folder);
	snprintf(described.variables, sizeof(described.variables), "%s/vars", folder);
	store(described.firmware, CODE_SIZE, 0xc0);
	store(described.variables, 100, 0xaa);
	console = (struct console){ .in = -1, .out = -1 };
	return machine_create(&machine, &described, &console, &error);
}

static uint8_t code_at(size_t at)
{
	return memory_region(&machine.memory, 0)->host[at];
}

static uint8_t *variables(void)
{
	return memory_region(&machine.memory, 0x04000000)->host;
}

static void boot(void)
{
	assert_int_equal(payload_read(&payload, &machine.config, &error), 0);
	assert_int_equal(payload_read_variables(&payload, &machine.config, &error), 0);
	assert_int_equal(machine_boot(&machine, &payload, &error), 0);
	payload_free(&payload);
}

static void test_boots(void **state)
{
	(void)state;
	boot();
	assert_int_equal(code_at(CODE_SIZE - 1), 0xc0);
	assert_int_equal(code_at(CODE_SIZE), 0);
	assert_int_equal(variables()[99], 0xaa);
	assert_int_equal(variables()[100], 0);
	assert_memory_equal(machine.memory.region[0].host, "\xd0\x0d\xfe\xed", 4);
	assert_int_equal(fake_vcpu_register(vcpu(0), FAKE_REGISTER_PC), 0);
	assert_int_equal(machine.devices.fwcfg.files, 3);
}

/* The guest's stores reach the flash, and what it reads then is its status. */
static void test_flash(void **state)
{
	(void)state;
	boot();
	run();
	assert_true(fake_vm_shows(&machine.vm, 0x04000000));
	mmio(0x04000000, 4, true, 0x70);
	assert_false(fake_vm_shows(&machine.vm, 0x04000000));
	assert_int_equal(mmio(0x04000000, 4, false, 0), 0x00800080);
	mmio(0x04000000, 4, true, 0xff);
	assert_true(fake_vm_shows(&machine.vm, 0x04000000));
	assert_int_equal(mmio(0x09020000, 4, false, 0), 0x554d4551);
	/* The code is no device. */
	mmio(0x00001000, 4, true, 0);
	assert_int_equal(code_at(0x1000), 0xc0);
}

/* New code and an old flash: variables are not read again. */
static void test_resets(void **state)
{
	(void)state;
	boot();
	run();
	mmio(0x04000000, 4, true, 0x40);
	mmio(0x04000000, 1, true, 0x0a);
	store(described.firmware, 16, 0xc1);
	assert_int_equal(machine_pause(&machine, &error), 0);
	assert_int_equal(payload_read(&payload, &machine.config, &error), 0);
	vcpus_park(&machine.vcpus);
	assert_int_equal(machine_reset(&machine, &error), 0);
	memory_clear_ram(&machine.memory);
	assert_int_equal(machine_boot(&machine, &payload, &error), 0);
	vcpus_unpark(&machine.vcpus);
	payload_free(&payload);
	assert_int_equal(code_at(15), 0xc1);
	assert_int_equal(code_at(16), 0);
	assert_int_equal(code_at(CODE_SIZE - 1), 0);
	assert_int_equal(variables()[0], 0x0a);
	assert_int_equal(variables()[1], 0xaa);
	devices_start(&machine.devices);
	assert_true(fake_vm_shows(&machine.vm, 0x04000000));
}

static void test_state(void **state)
{
	static const char *const last[] = { "PL31", "FLSH", "FWCF" };
	const struct clock_handoff handoff = { .policy = SC_CLOCK_ADVANCE };
	struct buffer saved = { 0 };
	struct section section;
	struct cursor cursor;
	size_t found = 0;
	char name[5];
	sc_ns_t gap;

	(void)state;
	boot();
	devices_quiesce(&machine.devices);
	assert_int_equal(state_save(&machine, &handoff, &saved, &error), 0);
	for (cursor = cursor_make(saved.data, saved.size); section_next(&cursor, &section);) {
		section_name(section.id, name);
		if (found || !strcmp(name, last[0]))
			assert_string_equal(name, last[found++]);
	}
	assert_int_equal(found, ARRAY_SIZE(last));
	devices_reset(&machine.devices);
	assert_int_equal(state_load(&machine, saved.data, saved.size, &gap, &error), 0);
	buffer_free(&saved);
}

/* Another monitor has the variables: the guest does not run here. */
static void test_variables_in_use(void **state)
{
	struct replace other;

	(void)state;
	boot();
	assert_int_equal(replace_init(&other, described.variables, &error), 0);
	assert_int_equal(replace_lock(&other, &error), 0);
	assert_int_equal(machine_resume(&machine, SC_CLOCK_FREEZE, false, &error), -EBUSY);
	assert_non_null(strstr(error.text, "vars is in use: another process has it locked"));
	assert_false(machine_has_disks(&machine));
	replace_unlock(&other);
	run();
	assert_int_equal(other_locks(described.variables), -EBUSY);
	machine_drop_disks(&machine);
	assert_int_equal(other_locks(described.variables), 0);
}

/* Nor does it move before what it has changed is written. */
static void test_variables_are_late(void **state)
{
	const struct clock_handoff handoff = { .policy = SC_CLOCK_ADVANCE };
	struct buffer saved = { 0 };

	(void)state;
	boot();
	set_answers(false);
	machine.devices.flash.file->write = write_late;
	machine.devices.flash.patience_ms = 30;
	run();
	mmio(0x04000000, 4, true, 0x40);
	mmio(0x04000000, 1, true, 0x0a);
	assert_int_equal(machine_pause(&machine, &error), 0);
	devices_quiesce(&machine.devices);
	assert_int_equal(state_save(&machine, &handoff, &saved, &error), -ETIMEDOUT);
	assert_int_equal(machine_give_disks(&machine, &error), -ETIMEDOUT);
	assert_true(machine_has_disks(&machine));
	set_answers(true);
	machine.devices.flash.patience_ms = wait_scaled(LIMIT_S) * 1000;
	devices_quiesce(&machine.devices);
	assert_int_equal(machine_give_disks(&machine, &error), 0);
	assert_int_equal(state_save(&machine, &handoff, &saved, &error), 0);
	buffer_free(&saved);
}

static void expect_refused(int err, const char *sentence)
{
	int result = payload_read(&payload, &described, &error);

	if (!result)
		result = payload_read_variables(&payload, &described, &error);
	payload_free(&payload);
	assert_int_equal(result, -err);
	assert_non_null(strstr(error.text, sentence));
}

static void test_bad_files(void **state)
{
	(void)state;
	store(described.firmware, 0, 0);
	expect_refused(EINVAL, "code is empty, and no firmware");
	assert_int_equal(truncate(described.firmware, (64 << 20) + 1), 0);
	expect_refused(EFBIG, "code has 67108865 bytes; at most 67108864 fit into the flash");
	assert_int_equal(truncate(described.firmware, 64 << 20), 0);
	assert_int_equal(truncate(described.variables, (64 << 20) + 1), 0);
	expect_refused(EFBIG, "vars has 67108865 bytes; at most 67108864 fit into the flash");
	unlink(described.firmware);
	expect_refused(ENOENT, "cannot open");
	/* Variables are made when they are needed. */
	unlink(described.variables);
	store(described.firmware, 16, 0xc0);
	boot();
	assert_int_equal(variables()[0], 0);
}

#define FIRMWARE_TEST(name) cmocka_unit_test_setup_teardown(name, set_up_firmware, tear_down)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		FIRMWARE_TEST(test_boots),
		FIRMWARE_TEST(test_flash),
		FIRMWARE_TEST(test_resets),
		FIRMWARE_TEST(test_state),
		FIRMWARE_TEST(test_bad_files),
		FIRMWARE_TEST(test_variables_in_use),
		FIRMWARE_TEST(test_variables_are_late),
	};

	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
