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

/* How long file systems are waited for, for all disks together; in the handover there are 10 s for everything. */
#define DISKS_LOCK_MS 4000u

/* As disk_lock() and disk_unlock(), of all; the latter of the rest as well if one fails. */
int disks_lock(struct disks *disks, struct error *error);
int disks_unlock(struct disks *disks, struct error *error);

/*
 * Whether they are those of a machine that runs elsewhere: -ENOLCK and a sentence if nobody has one of them. Where that
 * cannot be seen the name must tell, if it means the same on every host; a name of this host's own counts only if
 * somebody here has said it: `named`, a flag for each, NULL: none. -EPERM and a sentence if nobody has; -ETIMEDOUT as
 * above.
 */
int disks_check_locked(const struct disks *disks, const bool *named, struct error *error);

#endif
