/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The ACPI tables of the machine: processors, GICv3, architectural timers, UART, and the hypervisor's name.
 *
 * Policy: everything that never changes is a table; ACPI code holds devices, and one method: that of the Generic Event
 * Device, which turns an edge of an interrupt into a notification of the device that it is of. An edge needs no
 * register to be acknowledged. Hardware-reduced ACPI, so power and reset are PSCI's. Source: Advanced Configuration and
 * Power Interface Specification 6.3, with 5.6.9 for events, and Microsoft's Serial Port Console Redirection Table 1.02.
 */
#ifndef VMM_BOOT_ACPI_H
#define VMM_BOOT_ACPI_H

#include "boot/blob.h"
#include "base/layout.h"

#include <stdbool.h>

/* As many as there are redistributors below the UART. */
#define ACPI_VCPUS_MAX ((unsigned int)((LAYOUT_UART_BASE - LAYOUT_GICR_BASE) / LAYOUT_GICR_VCPU_SIZE))

/* A device in the namespace: at \_SB.Dnnn, nnn its place in the list. */
struct acpi_node {
	const char *hid; /* as in the ACPI and PNP ID registry */
	const char *cid; /* what it is compatible with, which is also its _DDN; NULL: none */
	uint32_t uid;
	uint64_t base; /* of its registers or its memory, below 4 GiB, */
	uint64_t size; /* in bytes; 0: it has none */
	uint32_t intid;
	bool coherent; /* it reads and writes memory, coherently with the processors' caches */
	bool address;  /* `base` stands in ADDR, and not in _CRS */
	bool event;    /* its interrupt is an edge, upon which the device is notified, with ACPI_NOTIFICATION */
	bool edge;     /* its interrupt is an edge, which its driver takes */
};

#define ACPI_NODES_MAX 48u

/* What a notified device hears: the first value that means what the device says; of a button, that it was pressed. */
#define ACPI_NOTIFICATION 0x80u

/* What the tables are for. */
struct acpi_machine {
	unsigned int vcpus; /* 1 to ACPI_VCPUS_MAX */
	const struct acpi_node *nodes;
	unsigned int node_count; /* at most ACPI_NODES_MAX */
};

/* The affinity that KVM gives to a vCPU's MPIDR_EL1. */
uint64_t acpi_mpidr(unsigned int vcpu);

/* Appends the tables, less than 32 KiB; the RSDP's guest physical address. */
uint64_t acpi_build(struct blob *blob, const struct acpi_machine *machine);

#endif
