/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The device tree that firmware finds at the start of RAM: the whole machine.
 *
 * Policy: what the packaged EDK2 reads, with the names and the values that it has on QEMU's `virt`. The operating
 * system does not see it: firmware that has ACPI tables gives it those. Sources: Devicetree Specification 0.4; Linux,
 * Documentation/devicetree/bindings; edk2, ArmVirtPkg.
 */
#ifndef VMM_BOOT_TREE_H
#define VMM_BOOT_TREE_H

#include "boot/acpi.h"

#include <stddef.h>

/* Enough for every machine, and as much as firmware keeps free. */
#define TREE_SIZE 0x10000u

/* Writes it into TREE_SIZE bytes. The machine has an UART, and `ram_size` bytes of RAM. */
void tree_write(void *buffer, const struct acpi_machine *machine, uint64_t ram_size);

#endif
