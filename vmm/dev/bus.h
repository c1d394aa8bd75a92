/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Memory-mapped devices: who answers an access to a guest physical address outside RAM.
 *
 * Policy: a fixed table that is filled before the first vCPU runs and never changes afterwards, so lookups need no
 * lock; each device has its own. What nobody answers is the guest's mistake and does no harm: it reads as 0.
 */
#ifndef VMM_DEV_BUS_H
#define VMM_DEV_BUS_H

#include <stdbool.h>
#include <stdint.h>

#define BUS_REGIONS_MAX 16

/* Offsets are from the start of the region and multiples of `length`, which is 1, 2, 4 or 8 bytes. */
struct bus_ops {
	uint64_t (*read)(void *device, uint64_t offset, unsigned int length);
	void (*write)(void *device, uint64_t offset, unsigned int length, uint64_t value);
};

struct bus_region {
	uint64_t base;
	uint64_t size;
	const struct bus_ops *ops;
	void *device;
};

struct bus {
	struct bus_region regions[BUS_REGIONS_MAX];
	unsigned int count;
};

/* -EINVAL: empty or beyond the address space; -EEXIST: overlaps another one; -ENOSPC: the table is full. */
int bus_add(struct bus *bus, const struct bus_region *region);

/*
 * Carries out one access; data is little-endian as in struct kvm_run, and reads clear the bytes behind `length`.
 * -ENXIO: nobody answers, because no region has all of the bytes or because the access is not aligned; reads give 0.
 */
int bus_access(const struct bus *bus, uint64_t gpa, unsigned int length, bool is_write, uint8_t data[8]);

#endif
