/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a machine boots from: the files that its description names, read into this process.
 *
 * Policy: they are read each time the machine boots, so that a new kernel is taken by the guest's next reboot.
 */
#ifndef VMM_MACHINE_PAYLOAD_H
#define VMM_MACHINE_PAYLOAD_H

#include "boot/boot.h"
#include "machine/config.h"

/*
 * The firmware; or kernel, expanded if it is compressed, initial RAM disk, command line and a new seed; the description
 * outlives them. -ENODATA if it names no kernel; -EINTR if an order to end has come (base/signals.h).
 */
int payload_read(struct boot_source *payload, const struct machine_config *config, struct error *error);
/* The kernel alone, expanded, in memory that the caller frees. */
int payload_read_kernel(const char *path, void **kernel, size_t *size, struct error *error);
/* Besides, for the first time that a machine boots: the firmware's variables, none if there is no such file yet. */
int payload_read_variables(struct boot_source *payload, const struct machine_config *config, struct error *error);
void payload_free(struct boot_source *payload);

/*
 * For a machine that comes from elsewhere, and that may start anew: 0 if the files are here, or are never needed.
 * -errno and a sentence that names the option if one cannot be opened; what is in it is not looked at.
 */
int payload_check(const struct machine_config *config, struct error *error);

#endif
