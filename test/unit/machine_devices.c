/* SPDX-License-Identifier: BSD-2-Clause */
/* Which devices the models have, how the guest finds them, and that their state goes with the machine. */
#include "machine_fixture.h"
#include "../fake/virtio_driver.h"

#include "machine/state.h"

#include <errno.h>
#include <sys/eventfd.h>
#include <unistd.h>

static struct machine_config described;

static int set_up_model(enum config_model model)
{
	alarm(wait_scaled(LIMIT_S));
	fake_reset();
	described = config;
	described.model = model;
	console = (struct console){ .in = -1, .out = -1 };
	return machine_create(&machine, &described, &console, &error);
}

static int set_up_uart(void **state)
{
	(void)state;
	return set_up_model(CONFIG_MODEL_UART);
}

static int set_up_devices(void **state)
{
	(void)state;
	return set_up_model(CONFIG_MODEL_DEVICES);
}

static void test_uart(void **state)
{
	struct acpi_node nodes[ACPI_NODES_MAX];
	uint8_t data[8];

	(void)state;
	assert_int_equal(devices_describe(&machine.devices, nodes, ACPI_NODES_MAX), 1);
	assert_string_equal(nodes[0].hid, "ARMH0011");
	assert_false(nodes[0].coherent);
	assert_int_equal(bus_access(&machine.devices.bus, LAYOUT_VIRTIO_BASE, 4, false, data), -ENXIO);
}

/* Where they are is part of the model, and stays. */
static void test_places(void **state)
{
	struct acpi_node nodes[ACPI_NODES_MAX];
	static const uint32_t kinds[] = { 4, 3 };
	static const uint32_t first = 8; /* behind the disks */

	(void)state;
	assert_true(devices_describe(&machine.devices, nodes, ACPI_NODES_MAX) > ARRAY_SIZE(kinds));
	for (uint32_t n = 0; n < ARRAY_SIZE(kinds); n++) {
		struct device *device = machine.devices.bus.devices[1 + n];

		assert_string_equal(nodes[1 + n].hid, "LNRO0005");
		assert_int_equal(nodes[1 + n].uid, first + n);
		assert_int_equal(nodes[1 + n].base, 0x0a000000 + 0x200 * (first + n));
		assert_int_equal(nodes[1 + n].size, 0x200);
		assert_int_equal(nodes[1 + n].intid, 48 + first + n);
		assert_true(nodes[1 + n].coherent);
		assert_int_equal(virtio_driver_read(device, 0x008), kinds[n]);
	}
}

static void test_state(void **state)
{
	static const char *const names[] = { "HAND", "CLCK", "VCPU", "VCPU", "GIC3", "UART",
					     "VRNG", "VCON", "PWRB", "GNID", "VMCK", "PL31" };
	const struct clock_handoff handoff = { .policy = SC_CLOCK_ADVANCE };
	struct buffer saved = { 0 };
	struct section section;
	struct cursor cursor;
	size_t typed = 0;
	sc_ns_t gap;

	(void)state;
	assert_int_equal(virtio_console_receive(&machine.devices.console, "typed", 5), 5);
	devices_quiesce(&machine.devices);
	assert_int_equal(state_save(&machine, &handoff, &saved, &error), 0);
	cursor = cursor_make(saved.data, saved.size);
	for (size_t n = 0; n < ARRAY_SIZE(names); n++) {
		char name[5];

		assert_true(section_next(&cursor, &section));
		section_name(section.id, name);
		assert_string_equal(name, names[n]);
		/* Behind the length of what was typed there are 5 bytes. */
		if (!strcmp(name, "VCON"))
			typed = (size_t)(section.content.data - saved.data) + section.content.left - 9;
	}
	assert_true(cursor_finish(&cursor));
	devices_reset(&machine.devices);
	assert_int_equal(state_load(&machine, saved.data, saved.size, &gap, &error), 0);
	devices_start(&machine.devices);
	assert_int_equal(virtio_console_room(&machine.devices.console), VIRTIO_CONSOLE_INPUT_MAX - 5);
	saved.data[typed]++;
	assert_int_equal(state_load(&machine, saved.data, saved.size, &gap, &error), -EPROTO);
	assert_string_equal(error.text, "the state of the machine's virtio console is damaged");
	buffer_free(&saved);
}

/* Through the machine's line an event raises an interrupt, until it does not any more; set() lowers it. */
static void test_call(void **state)
{
	const struct device_line *line = &machine.devices.random.virtio.device.line;
	const uint32_t intid = machine.devices.random.virtio.device.intid;
	const int event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	struct fake_vm *vm = fake_vm_of(&machine.vm);

	(void)state;
	assert_int_equal(line->set_call(line->context, intid, event, true), 0);
	fake_vm_deliver(&machine.vm);
	assert_false(vm->spi[intid]);
	eventfd_write(event, 1);
	fake_vm_deliver(&machine.vm);
	assert_true(vm->spi[intid]);
	line->set(line->context, intid, false);
	assert_int_equal(line->set_call(line->context, intid, event, false), 0);
	eventfd_write(event, 1);
	fake_vm_deliver(&machine.vm);
	assert_false(vm->spi[intid]);
	fake_fail(fake_host_current(), FAKE_SET_CALL, 0, 1, EINVAL);
	assert_int_equal(line->set_call(line->context, intid, event, true), -EINVAL);
	close(event);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_uart, set_up_uart, tear_down),
		cmocka_unit_test_setup_teardown(test_places, set_up_devices, tear_down),
		cmocka_unit_test_setup_teardown(test_state, set_up_devices, tear_down),
		cmocka_unit_test_setup_teardown(test_call, set_up_devices, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
