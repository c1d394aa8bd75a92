/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is behind the disks of a machine, all of them at once: opened by the description, and whose they are.
 *
 * Policy: all or none. A sentence names the disk by its number, and by what the operator calls it.
 */
#ifndef VMM_MACHINE_DISKS_H
#define VMM_MACHINE_DISKS_H

#include "dev/disk/disk.h"
#include "machine/config.h"

struct disks {
	struct disk *disk[CONFIG_DISKS_MAX];
	uint32_t count;
};

/*
 * Opens those of the description, which lives as long as they do, without a lock. -errno as disk_open(); -EINVAL if one
 * is smaller than its guest knows it.
 */
int disks_open(struct disks *disks, const struct machine_config *config, struct error *error);
void disks_close(struct disks *disks);

/* As disk_lock(), disk_unlock() and disk_check_locked(), of all; what cannot tell whether it is locked is not asked. */
int disks_lock(struct disks *disks, struct error *error);
void disks_unlock(struct disks *disks);
int disks_check_locked(struct disks *disks, struct error *error);

#endif
