/* SPDX-License-Identifier: BSD-2-Clause */
/* The VM generation id: see the header. */
#include "dev/genid.h"

#include "base/layout.h"
#include "base/section.h"
#include "host/host.h"

#include <errno.h>
#include <string.h>

static struct genid *genid_of(struct device *device)
{
	return (struct genid *)device;
}

/* Whatever the guest, or another host, has left there. */
static void genid_start(struct device *device)
{
	struct genid *genid = genid_of(device);

	lock_take(&device->lock);
	memory_write(genid->memory, device->base, genid->id, sizeof(genid->id));
	lock_drop(&device->lock);
}

static void genid_save(struct device *device, struct buffer *state)
{
	buffer_put_block(state, genid_of(device)->id, GENID_SIZE);
}

static int genid_load(struct device *device, struct cursor *state, uint32_t version)
{
	size_t size;
	const void *id = cursor_block(state, &size);

	(void)version;
	if (!id || size != GENID_SIZE)
		return -EPROTO;
	memcpy(genid_of(device)->id, id, GENID_SIZE);
	return 0;
}

static void genid_reset(struct device *device)
{
	device_set_line(device, false);
}

static void genid_destroy(struct device *device)
{
	lock_destroy(&device->lock);
}

/* Linux knows the _HID, others the name that Microsoft gave it. */
static const struct device_ops genid_ops = {
	.name = "generation id",
	.acpi_id = "VMGENCTR",
	.acpi_compatible = "VM_Gen_Counter",
	.acpi_address = true,
	.event = true,
	.section = SECTION_ID('G', 'N', 'I', 'D'),
	.version = 1,
	.start = genid_start,
	.save = genid_save,
	.load = genid_load,
	.reset = genid_reset,
	.destroy = genid_destroy,
};

void genid_init(struct genid *genid, struct memory *memory, const struct device_line *line)
{
	*genid = (struct genid){
		.device = { .ops = &genid_ops,
			    .base = LAYOUT_GENID_BASE,
			    .size = LAYOUT_GENID_SIZE,
			    .intid = LAYOUT_GENID_INTID,
			    .line = *line },
		.memory = memory,
	};
	lock_init(&genid->device.lock, LOCK_DEVICE);
	host_random(genid->id, sizeof(genid->id));
}

void genid_renew(struct genid *genid)
{
	lock_take(&genid->device.lock);
	host_random(genid->id, sizeof(genid->id));
	memory_write(genid->memory, genid->device.base, genid->id, sizeof(genid->id));
	device_pulse(&genid->device);
	lock_drop(&genid->device.lock);
}
