/* SPDX-License-Identifier: BSD-2-Clause */
/* Memory-mapped devices: see the header. */
#include "dev/bus.h"

#include <endian.h>
#include <errno.h>
#include <stddef.h>
#include <string.h>

static bool overlap(const struct device *a, const struct device *b)
{
	return a->size && b->size && a->base <= b->base + (b->size - 1) && b->base <= a->base + (a->size - 1);
}

int bus_add(struct bus *bus, struct device *device)
{
	if (device->size ? device->base + (device->size - 1) < device->base : device->ops->read != NULL)
		return -EINVAL;
	for (unsigned int i = 0; i < bus->count; i++) {
		if (overlap(bus->devices[i], device))
			return -EEXIST;
	}
	if (bus->count == BUS_DEVICES_MAX)
		return -ENOSPC;
	bus->devices[bus->count++] = device;
	return 0;
}

static struct device *find(const struct bus *bus, uint64_t gpa, unsigned int length)
{
	for (unsigned int i = 0; i < bus->count; i++) {
		struct device *device = bus->devices[i];

		if (device->ops->read && gpa >= device->base && device->size >= length &&
		    gpa - device->base <= device->size - length)
			return device;
	}
	return NULL;
}

static bool is_aligned(uint64_t gpa, unsigned int length)
{
	return (length == 1 || length == 2 || length == 4 || length == 8) && gpa % length == 0;
}

static void device_access(struct device *device, uint64_t offset, unsigned int length, bool is_write, uint8_t data[8])
{
	uint64_t value = 0;

	lock_take(&device->lock);
	if (is_write) {
		memcpy(&value, data, length);
		device->ops->write(device, offset, length, le64toh(value));
	} else {
		value = htole64(device->ops->read(device, offset, length));
		memcpy(data, &value, length);
	}
	lock_drop(&device->lock);
}

int bus_access(const struct bus *bus, uint64_t gpa, unsigned int length, bool is_write, uint8_t data[8])
{
	struct device *device = NULL;

	if (is_aligned(gpa, length))
		device = find(bus, gpa, length);
	if (!is_write)
		memset(data, 0, 8);
	if (!device)
		return -ENXIO;
	device_access(device, gpa - device->base, length, is_write, data);
	return 0;
}
