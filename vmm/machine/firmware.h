/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A machine that boots by firmware: code and variables into the flash, the device tree to the start of RAM, and the
 * ACPI tables into files of the firmware configuration device.
 *
 * Policy: the operating system finds the same tables as after a direct boot, only elsewhere.
 */
#ifndef VMM_MACHINE_FIRMWARE_H
#define VMM_MACHINE_FIRMWARE_H

#include "machine/machine.h"

/*
 * `source` has firmware, and the machine's own nodes. Variables that it does not have stay as they are. RAM is zero.
 * -ENOMEM.
 */
int firmware_load(struct machine *machine, const struct boot_source *source, struct boot_entry *entry,
		  struct error *error);

#endif
