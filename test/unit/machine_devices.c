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

static int set_up_window(void **state)
{
	(void)state;
	return set_up_model(CONFIG_MODEL_WINDOW);
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

/* ---- How the guest comes to the registers ---- */

#define RANDOM (LAYOUT_VIRTIO_BASE + 8 * 0x200)

/* How often the guest left for it. */
static uint64_t exits_of(uint64_t gpa, bool write, uint64_t *value)
{
	uint64_t entries = fake_host_entries(fake_host_current());

	*value = mmio(gpa, 4, write, 1);
	return fake_host_entries(fake_host_current()) - entries;
}

static void expect_edges(bool edges)
{
	struct acpi_node nodes[ACPI_NODES_MAX];
	unsigned int count = devices_describe(&machine.devices, nodes, ACPI_NODES_MAX);

	for (unsigned int n = 0; n < count; n++)
		assert_int_equal(nodes[n].edge, edges && !strcmp(nodes[n].hid, "LNRO0005"));
}

static void test_registers_by_exits(void **state)
{
	uint64_t value;

	(void)state;
	run();
	assert_int_equal(exits_of(RANDOM + 0x008, false, &value), 1);
	assert_int_equal(value, 4);
	assert_false(fake_vm_ring(&machine.vm, RANDOM + 0x064, 1));
	expect_edges(false);
}

/* Stores are exits, but for the one without effect; what they change is there to read. */
static void test_registers_in_memory(void **state)
{
	uint64_t value;

	(void)state;
	run();
	assert_int_equal(exits_of(RANDOM + 0x008, false, &value), 0);
	assert_int_equal(value, 4);
	assert_int_equal(exits_of(RANDOM + 0x070, true, &value), 1);
	assert_int_equal(exits_of(RANDOM + 0x070, false, &value), 0);
	assert_int_equal(value, 1);
	assert_int_equal(exits_of(LAYOUT_VIRTIO_BASE, false, &value), 0);
	assert_int_equal(value, 0);
	assert_true(fake_vm_ring(&machine.vm, RANDOM + 0x064, 1));
	assert_false(fake_vm_ring(&machine.vm, RANDOM + 0x064, 2));
	assert_false(fake_vm_ring(&machine.vm, RANDOM + 0x064, 3));
	expect_edges(true);
}

static void test_hidden_registers(void **state)
{
	const struct device_line *line = &machine.devices.random.virtio.device.line;
	uint64_t value;

	(void)state;
	run();
	line->show_rom(line->context, LAYOUT_VIRTIO_BASE, false);
	assert_int_equal(exits_of(RANDOM + 0x008, false, &value), 1);
	assert_int_equal(value, 4);
	line->show_rom(line->context, LAYOUT_VIRTIO_BASE, true);
	assert_int_equal(exits_of(RANDOM + 0x008, false, &value), 0);
}

/* It does not travel: what another host needs to show it is the devices' state, which is as it was. */
static void test_window_is_no_memory(void **state)
{
	(void)state;
	assert_null(memory_place(&machine.memory, LAYOUT_VIRTIO_BASE, 4));
	assert_int_equal(machine.memory.regions, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_uart, set_up_uart, tear_down),
		cmocka_unit_test_setup_teardown(test_places, set_up_devices, tear_down),
		cmocka_unit_test_setup_teardown(test_state, set_up_devices, tear_down),
		cmocka_unit_test_setup_teardown(test_state, set_up_window, tear_down),
		cmocka_unit_test_setup_teardown(test_call, set_up_devices, tear_down),
		cmocka_unit_test_setup_teardown(test_registers_by_exits, set_up_devices, tear_down),
		cmocka_unit_test_setup_teardown(test_registers_in_memory, set_up_window, tear_down),
		cmocka_unit_test_setup_teardown(test_hidden_registers, set_up_window, tear_down),
		cmocka_unit_test_setup_teardown(test_window_is_no_memory, set_up_window, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
