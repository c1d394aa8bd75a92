/* SPDX-License-Identifier: BSD-2-Clause */
/* Memory-mapped devices: see the header. */
#include "dev/bus.h"

#include <endian.h>
#include <errno.h>
#include <stddef.h>
#include <string.h>

static bool overlap(const struct bus_region *a, const struct bus_region *b)
{
	return a->base <= b->base + (b->size - 1) && b->base <= a->base + (a->size - 1);
}

int bus_add(struct bus *bus, const struct bus_region *region)
{
	if (region->size == 0 || region->base + (region->size - 1) < region->base)
		return -EINVAL;
	for (unsigned int i = 0; i < bus->count; i++) {
		if (overlap(&bus->regions[i], region))
			return -EEXIST;
	}
	if (bus->count == BUS_REGIONS_MAX)
		return -ENOSPC;
	bus->regions[bus->count++] = *region;
	return 0;
}

static const struct bus_region *find(const struct bus *bus, uint64_t gpa, unsigned int length)
{
	for (unsigned int i = 0; i < bus->count; i++) {
		const struct bus_region *region = &bus->regions[i];

		if (gpa >= region->base && region->size >= length && gpa - region->base <= region->size - length)
			return region;
	}
	return NULL;
}

static bool is_aligned(uint64_t gpa, unsigned int length)
{
	return (length == 1 || length == 2 || length == 4 || length == 8) && gpa % length == 0;
}

int bus_access(const struct bus *bus, uint64_t gpa, unsigned int length, bool is_write, uint8_t data[8])
{
	const struct bus_region *region = NULL;
	uint64_t value = 0;

	if (is_aligned(gpa, length))
		region = find(bus, gpa, length);
	if (!is_write)
		memset(data, 0, 8);
	if (!region)
		return -ENXIO;
	if (is_write) {
		memcpy(&value, data, length);
		region->ops->write(region->device, gpa - region->base, length, le64toh(value));
	} else {
		value = htole64(region->ops->read(region->device, gpa - region->base, length));
		memcpy(data, &value, length);
	}
	return 0;
}
