/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The VM generation id: 16 random bytes in guest memory that change when the machine is another copy of itself.
 *
 * Policy: it changes when a machine comes out of a file, for the file may have been restored before, and the guest must
 * draw new random numbers then. A migration or a reboot keeps it: there is still one machine. Linux finds it by ACPI
 * (drivers/virt/vmgenid.c), and hears of a change by a notification. Source: Microsoft, Virtual Machine Generation ID.
 */
#ifndef VMM_DEV_GENID_H
#define VMM_DEV_GENID_H

#include "dev/device.h"
#include "host/memory.h"

#define GENID_SIZE 16u

struct genid {
	struct device device; /* first, so that it is the device; its lock covers what follows */
	struct memory *memory;
	uint8_t id[GENID_SIZE];
};

/* With a new id. The memory has the device's region, and lives as long as it. */
void genid_init(struct genid *genid, struct memory *memory, const struct device_line *line);

/* A new id, of which the guest is notified. The machine stands still. */
void genid_renew(struct genid *genid);

#endif
