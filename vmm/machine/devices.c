/* SPDX-License-Identifier: BSD-2-Clause */
/* The devices of a machine: see the header. */
#include "machine/devices.h"

#include <errno.h>
#include <inttypes.h>

/* Places in the window for virtio devices: guest visible, so none changes. */
enum {
	SLOT_DISK, /* of the first */
	SLOT_RANDOM = SLOT_DISK + CONFIG_DISKS_MAX,
	SLOT_CONSOLE,
	SLOT_NET, /* of the first, of CONFIG_NETS_MAX */
};

static int devices_add(struct devices *devices, struct device *device, struct error *error)
{
	int result = bus_add(&devices->bus, device);

	return result ? error_set(error, -result, "the %s does not fit into the memory map", device->ops->name) : 0;
}

static int devices_add_disk(struct devices *devices, const struct devices_host *host, uint32_t n, struct error *error)
{
	const struct block_options options = {
		.number = n,
		.slot = SLOT_DISK + n,
		.disk = host->disks->disk[n],
		.serial = host->config->disk[n].serial,
		.memory = host->memory,
		.machine = host->config->name,
		.line = &host->line,
	};
	int result = block_create(&devices->disk[n], &options, error);

	if (result)
		return result;
	devices->disks++;
	return devices_add(devices, &devices->disk[n].virtio.device, error);
}

static int devices_add_net(struct devices *devices, const struct devices_host *host, uint32_t n, struct error *error)
{
	const struct net_options options = {
		.number = n,
		.slot = SLOT_NET + n,
		.uplink = host->nets->uplink[n],
		.mac = host->config->net[n].mac,
		.mtu = host->config->net[n].mtu,
		.memory = host->memory,
		.machine = host->config->name,
		.line = &host->line,
	};
	int result = net_create(&devices->net[n], &options, error);

	if (result)
		return result;
	devices->nets++;
	return devices_add(devices, &devices->net[n].virtio.device, error);
}

/* What a machine of CONFIG_MODEL_DEVICES has besides, in the order of the sections. */
static int devices_add_model(struct devices *devices, const struct devices_host *host, struct error *error)
{
	struct device *const table[] = {
		&devices->random.virtio.device, &devices->console.virtio.device, &devices->button.device,
		&devices->genid.device,		&devices->wallclock.device,	 &devices->rtc.device,
	};
	const char *machine = host->config->name;
	int result = 0;

	virtio_random_init(&devices->random, SLOT_RANDOM, host->memory, machine, &host->line);
	virtio_console_init(&devices->console, SLOT_CONSOLE, host->memory, machine, &host->line);
	button_init(&devices->button, &host->line);
	genid_init(&devices->genid, host->memory, &host->line);
	wallclock_init(&devices->wallclock, host->memory, &host->counter, &host->line);
	rtc_init(&devices->rtc, &host->line);
	devices->full = true;
	for (size_t n = 0; n < sizeof(table) / sizeof(table[0]) && !result; n++)
		result = devices_add(devices, table[n], error);
	return result;
}

/* What firmware needs besides. */
static int devices_add_firmware(struct devices *devices, const struct devices_host *host, struct error *error)
{
	const struct machine_config *config = host->config;
	int result = flash_init(&devices->flash, host->memory, config->variables, config->name, &host->line, error);

	devices->flashes = true;
	if (!result)
		result = devices_add(devices, &devices->flash.device, error);
	if (result)
		return result;
	fwcfg_init(&devices->fwcfg, host->memory, config->vcpus, &host->line);
	return devices_add(devices, &devices->fwcfg.device, error);
}

int devices_create(struct devices *devices, const struct devices_host *host, struct error *error)
{
	int result;

	devices->bus = (struct bus){ .count = 0 };
	devices->full = devices->flashes = false;
	devices->disks = devices->nets = 0;
	uart_init(&devices->uart, host->console, host->config->name, &host->line);
	result = devices_add(devices, &devices->uart.device, error);
	for (uint32_t n = 0; n < host->disks->count && !result; n++)
		result = devices_add_disk(devices, host, n, error);
	if (!result && host->config->model >= CONFIG_MODEL_DEVICES)
		result = devices_add_model(devices, host, error);
	if (!result && host->config->firmware[0])
		result = devices_add_firmware(devices, host, error);
	for (uint32_t n = 0; n < host->nets->count && !result; n++)
		result = devices_add_net(devices, host, n, error);
	return result;
}

void devices_renew(struct devices *devices)
{
	if (!devices->full)
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
		if (devices->bus.devices[n]->ops->halt)
			devices->bus.devices[n]->ops->halt(devices->bus.devices[n]);
	for (unsigned int n = 0; n < devices->bus.count; n++)
		if (devices->bus.devices[n]->ops->quiesce)
			devices->bus.devices[n]->ops->quiesce(devices->bus.devices[n]);
}

int devices_stand(struct devices *devices, struct error *error)
{
	int result = 0;

	for (uint32_t n = 0; n < devices->disks && !result; n++)
		result = block_stands(&devices->disk[n], error);
	return result;
}

int devices_settled(struct devices *devices, struct error *error)
{
	int result = 0;

	for (uint32_t n = 0; n < devices->disks && !result; n++)
		result = block_settled(&devices->disk[n], error);
	if (!result && devices->flashes)
		result = flash_settled(&devices->flash, error);
	return result;
}

int devices_lock(struct devices *devices, int limit_ms, struct error *error)
{
	return devices->flashes ? flash_lock(&devices->flash, limit_ms, error) : 0;
}

int devices_unlock(struct devices *devices, int limit_ms, struct error *error)
{
	return devices->flashes ? flash_unlock(&devices->flash, limit_ms, error) : 0;
}

void devices_flush_ahead(struct devices *devices)
{
	for (uint32_t n = 0; n < devices->disks; n++)
		block_flush_ahead(&devices->disk[n]);
}

bool devices_have_flushed_ahead(struct devices *devices)
{
	bool have = true;

	for (uint32_t n = 0; n < devices->disks; n++)
		have &= block_has_flushed_ahead(&devices->disk[n]);
	return have;
}

int devices_set_log(struct devices *devices, bool on, struct error *error)
{
	int result = 0;

	for (uint32_t n = 0; n < devices->nets && !result; n++)
		result = net_set_log(&devices->net[n], on, error);
	return result;
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
			.edge = device->ops->edge,
		};
	}
	return count;
}

void devices_demand(struct devices *devices, struct buffer *demand)
{
	for (unsigned int n = 0; n < devices->bus.count; n++) {
		struct device *device = devices->bus.devices[n];
		size_t begun =
			section_begin(demand, device->ops->section, device->instance, device->ops->version, false);

		lock_take(&device->lock);
		if (device->ops->demand)
			device->ops->demand(device, demand);
		lock_drop(&device->lock);
		section_end(demand, begun);
	}
}

int devices_examine(struct device *device, struct section *section, struct error *error)
{
	int result;

	if (!device->ops->examine || cursor_finish(&section->content))
		return 0;
	lock_take(&device->lock);
	result = device->ops->examine(device, &section->content, error);
	lock_drop(&device->lock);
	return result;
}

int devices_check_places(const struct devices *devices, struct error *error)
{
	for (uint32_t n = 0; n < devices->disks; n++)
		for (uint32_t other = n + 1; other < devices->disks; other++)
			if (block_is_exchanged(&devices->disk[n], &devices->disk[other]))
				return error_set(error, EINVAL,
						 "%s is the machine's disk %" PRIu32 ", and %s its disk %" PRIu32
						 ": here they are named the other way round",
						 devices->disk[n].disk->where, other, devices->disk[other].disk->where,
						 n);
	return 0;
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
