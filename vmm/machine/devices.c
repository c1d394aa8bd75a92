/* SPDX-License-Identifier: BSD-2-Clause */
/* The devices of a machine: see the header. */
#include "machine/devices.h"

#include <errno.h>

/* Places in the window for virtio devices: guest visible, so none changes. */
enum {
	SLOT_RANDOM,
	SLOT_CONSOLE,
};

/* The table: every device that a machine has, in the order of the sections. */
struct table {
	struct device *device[BUS_DEVICES_MAX];
	unsigned int count;
};

static void table_add(struct table *table, struct device *device)
{
	table->device[table->count++] = device;
}

static int devices_attach(struct devices *devices, const struct table *table)
{
	int result = 0;

	for (unsigned int n = 0; n < table->count && !result; n++)
		result = bus_add(&devices->bus, table->device[n]);
	return result;
}

int devices_create(struct devices *devices, const struct machine_config *config, struct memory *memory,
		   struct console *console, const struct device_line *line, struct error *error)
{
	struct table table = { .count = 0 };
	int result;

	devices->bus = (struct bus){ .count = 0 };
	uart_init(&devices->uart, console, config->name, line);
	table_add(&table, &devices->uart.device);
	if (config->model >= CONFIG_MODEL_DEVICES) {
		virtio_random_init(&devices->random, SLOT_RANDOM, memory, config->name, line);
		table_add(&table, &devices->random.virtio.device);
		virtio_console_init(&devices->console, SLOT_CONSOLE, memory, config->name, line);
		table_add(&table, &devices->console.virtio.device);
	}
	result = devices_attach(devices, &table);
	return result ? error_set(error, -result, "the devices do not fit into the memory map") : 0;
}

void devices_start(struct devices *devices)
{
	for (unsigned int n = 0; n < devices->bus.count; n++)
		devices->bus.devices[n]->ops->start(devices->bus.devices[n]);
}

void devices_quiesce(struct devices *devices)
{
	for (unsigned int n = 0; n < devices->bus.count; n++)
		devices->bus.devices[n]->ops->quiesce(devices->bus.devices[n]);
}

void devices_destroy(struct devices *devices)
{
	devices_quiesce(devices);
	for (unsigned int n = 0; n < devices->bus.count; n++)
		devices->bus.devices[n]->ops->destroy(devices->bus.devices[n]);
	devices->bus.count = 0;
}

void devices_reset(struct devices *devices)
{
	for (unsigned int n = 0; n < devices->bus.count; n++) {
		struct device *device = devices->bus.devices[n];

		lock_take(&device->lock);
		device->ops->reset(device);
		lock_drop(&device->lock);
	}
}

unsigned int devices_describe(const struct devices *devices, struct acpi_node *nodes, unsigned int room)
{
	unsigned int count = devices->bus.count < room ? devices->bus.count : room;

	for (unsigned int n = 0; n < count; n++) {
		const struct device *device = devices->bus.devices[n];

		nodes[n] = (struct acpi_node){
			.hid = device->ops->acpi_id,
			.uid = device->uid,
			.base = device->base,
			.size = device->size,
			.intid = device->intid,
			.coherent = device->ops->coherent,
		};
	}
	return count;
}

void devices_save(struct devices *devices, struct buffer *state)
{
	for (unsigned int n = 0; n < devices->bus.count; n++) {
		struct device *device = devices->bus.devices[n];
		size_t begun =
			section_begin(state, device->ops->section, device->instance, device->ops->version, false);

		lock_take(&device->lock);
		device->ops->save(device, state);
		lock_drop(&device->lock);
		section_end(state, begun);
	}
}

struct device *devices_find(const struct devices *devices, uint32_t section_id, uint32_t instance)
{
	for (unsigned int n = 0; n < devices->bus.count; n++) {
		struct device *device = devices->bus.devices[n];

		if (device->ops->section == section_id && device->instance == instance)
			return device;
	}
	return NULL;
}

int devices_load(struct device *device, struct section *section)
{
	int result;

	lock_take(&device->lock);
	result = device->ops->load(device, &section->content, section->version);
	lock_drop(&device->lock);
	return result || !cursor_finish(&section->content) ? -EPROTO : 0;
}
