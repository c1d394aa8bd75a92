/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The bus: which device answers an access to a guest physical address outside RAM.
 *
 * Policy: a fixed table that is filled before the first vCPU runs and never changes afterwards, so lookups need no
 * lock; an access holds the lock of its device and no other. What nobody answers is the guest's mistake and does no
 * harm: it reads as 0.
 */
#ifndef VMM_DEV_BUS_H
#define VMM_DEV_BUS_H

#include "dev/device.h"

#define BUS_DEVICES_MAX 48

struct bus {
	struct device *devices[BUS_DEVICES_MAX];
	unsigned int count;
};

/* -EINVAL: its region is empty, though it has registers, or beyond the address space; -EEXIST: it overlaps another one;
 * -ENOSPC: no room. */
int bus_add(struct bus *bus, struct device *device);

/*
 * Carries out one access; data is little-endian as in struct kvm_run, and reads clear the bytes behind `length`.
 * -ENXIO: nobody answers, because no region has all of the bytes or because the access is not aligned; reads give 0.
 */
int bus_access(const struct bus *bus, uint64_t gpa, unsigned int length, bool is_write, uint8_t data[8]);

#endif
