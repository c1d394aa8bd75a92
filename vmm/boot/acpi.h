/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The ACPI tables of the machine: processors, GICv3, architectural timers, UART, and the hypervisor's name.
 *
 * Policy: everything that never changes is a table; ACPI code holds devices only, no methods. Hardware-reduced ACPI,
 * so power and reset are PSCI's. Source: Advanced Configuration and Power Interface Specification 6.3 and Microsoft's
 * Serial Port Console Redirection Table 1.02.
 */
#ifndef VMM_BOOT_ACPI_H
#define VMM_BOOT_ACPI_H

#include "boot/blob.h"
#include "base/layout.h"

/* As many as there are redistributors below the UART. */
#define ACPI_VCPUS_MAX ((unsigned int)((LAYOUT_UART_BASE - LAYOUT_GICR_BASE) / LAYOUT_GICR_VCPU_SIZE))

/* Appends the tables, less than 32 KiB, for 1 to ACPI_VCPUS_MAX vCPUs; the RSDP's guest physical address. */
uint64_t acpi_build(struct blob *blob, unsigned int vcpus);

#endif
