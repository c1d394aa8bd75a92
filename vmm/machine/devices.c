/* SPDX-License-Identifier: BSD-2-Clause */
/* The devices of a machine: see the header. */
#include "machine/devices.h"

#include <errno.h>

static void devices_init(struct devices *devices, const struct devices_host *host)
{
	uart_init(&devices->uart, host->console, host->config->name, &host->line);
	if (!devices->clocks)
		return;
	button_init(&devices->button, &host->line);
	genid_init(&devices->genid, host->memory, &host->line);
	wallclock_init(&devices->wallclock, host->memory, &host->counter, &host->line);
	rtc_init(&devices->rtc, &host->line);
}

/* The table: every device that a machine has, in the order of the sections. */
static int devices_attach(struct devices *devices)
{
	bool clocks = devices->clocks;
	struct device *const table[] = {
		&devices->uart.device,
		clocks ? &devices->button.device : NULL,
		clocks ? &devices->genid.device : NULL,
		clocks ? &devices->wallclock.device : NULL,
		clocks ? &devices->rtc.device : NULL,
	};
	int result = 0;

	for (size_t n = 0; n < sizeof(table) / sizeof(table[0]) && !result; n++)
		if (table[n])
			result = bus_add(&devices->bus, table[n]);
	return result;
}

int devices_create(struct devices *devices, const struct devices_host *host, struct error *error)
{
	int result;

	devices->bus = (struct bus){ .count = 0 };
	devices->clocks = host->config->model >= CONFIG_MODEL_DEVICES;
	devices_init(devices, host);
	result = devices_attach(devices);
	return result ? error_set(error, -result, "the devices do not fit into the memory map") : 0;
}

void devices_renew(struct devices *devices)
{
	if (!devices->clocks)
		return;
	genid_renew(&devices->genid);
	wallclock_renew(&devices->wallclock);
}

void devices_start(struct devices *devices)
{
	for (unsigned int n = 0; n < devices->bus.count; n++)
		if (devices->bus.devices[n]->ops->start)
			devices->bus.devices[n]->ops->start(devices->bus.devices[n]);
}

void devices_quiesce(struct devices *devices)
{
	for (unsigned int n = 0; n < devices->bus.count; n++)
		if (devices->bus.devices[n]->ops->quiesce)
			devices->bus.devices[n]->ops->quiesce(devices->bus.devices[n]);
}

bool devices_want_ticks(const struct devices *devices)
{
	bool want = false;

	for (unsigned int n = 0; n < devices->bus.count; n++)
		want |= devices->bus.devices[n]->ops->tick != NULL;
	return want;
}

void devices_tick(struct devices *devices)
{
	for (unsigned int n = 0; n < devices->bus.count; n++)
		if (devices->bus.devices[n]->ops->tick)
			devices->bus.devices[n]->ops->tick(devices->bus.devices[n]);
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
	unsigned int count = 0;

	for (unsigned int n = 0; n < devices->bus.count && count < room; n++) {
		const struct device *device = devices->bus.devices[n];

		if (!device->ops->acpi_id)
			continue;
		nodes[count++] = (struct acpi_node){
			.hid = device->ops->acpi_id,
			.cid = device->ops->acpi_compatible,
			.uid = device->uid,
			.base = device->base,
			.size = device->size,
			.intid = device->intid,
			.coherent = device->ops->coherent,
			.address = device->ops->acpi_address,
			.event = device->ops->event,
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
