/* SPDX-License-Identifier: BSD-2-Clause */
/* The ACPI tables of the machine: see the header. */
#include "boot/acpi.h"

#include "boot/aml.h"
#include "base/layout.h"

#include <assert.h>
#include <seaclock/abi.h>
#include <stdio.h>

#define OEM_ID "SEACLK"
#define OEM_TABLE_ID "SEACLOCK"
#define CREATOR_ID "SEAC"

#define HEADER_SIZE 36
#define HEADER_LENGTH 4
#define HEADER_CHECKSUM 9

#define FADT_SIZE 276
#define FADT_FLAGS 112
#define FADT_FLAG_HW_REDUCED (1u << 20)
#define FADT_ARM_BOOT_ARCH 129
#define FADT_ARM_PSCI (1u << 0)
#define FADT_ARM_PSCI_HVC (1u << 1)
#define FADT_MINOR_VERSION 131
#define FADT_X_DSDT 140

#define MADT_GICC 0x0b
#define MADT_GICC_SIZE 80
#define MADT_GICC_ENABLED 1u
#define MADT_GICC_MPIDR 68
#define MADT_GICD 0x0c
#define MADT_GICD_SIZE 24
#define MADT_GICR 0x0e
#define MADT_GICR_SIZE 16

#define GTDT_SIZE 104
#define GTDT_NO_FRAME UINT64_MAX
#define GTDT_LEVEL_ALWAYS_ON (1u << 2)

#define PPTT_PROCESSOR 0
#define PPTT_PROCESSOR_SIZE 20
#define PPTT_PACKAGE (1u << 0)
#define PPTT_ID_VALID (1u << 1)
#define PPTT_LEAF (1u << 3)

#define SPCR_SIZE 80
#define SPCR_PL011 3
#define SPCR_GIC (1u << 3)
#define SPCR_115200 7
#define SPCR_ONE_STOP_BIT 1
#define SPCR_VT_UTF8 2
#define SPCR_NO_PCI_DEVICE 0xffff

#define RSDP_SIZE 36
#define RSDP_V1_SIZE 20
#define RSDP_CHECKSUM 8
#define RSDP_EXTENDED_CHECKSUM 32

/* The value that makes the bytes from `start` to here sum to 0. */
static uint8_t checksum(const struct blob *blob, size_t start, size_t size)
{
	uint8_t sum = 0;

	for (size_t i = 0; i < size; i++)
		sum = (uint8_t)(sum + blob->bytes[start + i]);
	return (uint8_t)-sum;
}

static size_t table_begin(struct blob *blob, const char *signature, uint8_t revision)
{
	size_t table;

	blob_align(blob, 16);
	table = blob->size;
	blob_put_bytes(blob, signature, 4);
	blob_put(blob, 0, 4); /* length, by table_end() */
	blob_put(blob, revision, 1);
	blob_put(blob, 0, 1); /* checksum, by table_end() */
	blob_put_bytes(blob, OEM_ID, 6);
	blob_put_bytes(blob, OEM_TABLE_ID, 8);
	blob_put(blob, 1, 4); /* OEM revision */
	blob_put_bytes(blob, CREATOR_ID, 4);
	blob_put(blob, 1, 4); /* creator revision */
	assert(blob->size == table + HEADER_SIZE);
	return table;
}

static uint64_t table_end(struct blob *blob, size_t table)
{
	size_t size = blob->size - table;

	blob_patch(blob, table + HEADER_LENGTH, size, 4);
	blob_patch(blob, table + HEADER_CHECKSUM, checksum(blob, table, size), 1);
	return blob->base + table;
}

/* Linux registers a processor, and lets it go offline and online, only if it is a device as well. */
static void put_processor(struct blob *blob, unsigned int vcpu)
{
	char name[5];
	size_t device;

	snprintf(name, sizeof(name), "C%03X", vcpu & 0xfff);
	device = aml_open_device(blob, name);
	aml_name_string(blob, "_HID", "ACPI0007");
	aml_name_integer(blob, "_UID", vcpu);
	aml_close(blob, device);
}

/* Of device number n. */
static const char *device_name(unsigned int n, char name[5])
{
	snprintf(name, 5, "D%03X", n & 0xfff);
	return name;
}

static void put_resources(struct blob *blob, const struct acpi_node *node)
{
	bool memory = node->size && !node->address;
	size_t resources;

	if (!memory && node->event)
		return;
	resources = aml_open_resources(blob);
	if (memory)
		aml_put_memory(blob, (uint32_t)node->base, (uint32_t)node->size);
	if (!node->event)
		aml_put_interrupt(blob, node->intid, node->edge);
	aml_close_resources(blob, resources);
}

static void put_device(struct blob *blob, unsigned int n, const struct acpi_node *node)
{
	char name[5];
	size_t device = aml_open_device(blob, device_name(n, name));

	aml_name_string(blob, "_HID", node->hid);
	if (node->cid) {
		aml_name_string(blob, "_CID", node->cid);
		aml_name_string(blob, "_DDN", node->cid);
	}
	aml_name_integer(blob, "_UID", node->uid);
	/* Without it Linux lets no device on arm64 reach memory. */
	if (node->coherent)
		aml_name_integer(blob, "_CCA", 1);
	if (node->address)
		aml_name_halves(blob, "ADDR", node->base);
	put_resources(blob, node);
	aml_close(blob, device);
}

/*
 * The interrupts of all events, and whom each is about. Linux looks for _EVT if there is no method for the interrupt
 * alone (drivers/acpi/evged.c).
 */
static void put_events(struct blob *blob, const struct acpi_machine *machine)
{
	size_t device = aml_open_device(blob, "EVNT"), resources, method;
	char name[5];

	aml_name_string(blob, "_HID", "ACPI0013");
	aml_name_integer(blob, "_UID", 0);
	resources = aml_open_resources(blob);
	for (unsigned int n = 0; n < machine->node_count; n++)
		if (machine->nodes[n].event)
			aml_put_interrupt(blob, machine->nodes[n].intid, true);
	aml_close_resources(blob, resources);
	method = aml_open_method(blob, "_EVT");
	for (unsigned int n = 0; n < machine->node_count; n++)
		if (machine->nodes[n].event)
			aml_notify_if(blob, machine->nodes[n].intid, device_name(n, name), ACPI_NOTIFICATION);
	aml_close(blob, method);
	aml_close(blob, device);
}

static bool has_events(const struct acpi_machine *machine)
{
	unsigned int n = 0;

	while (n < machine->node_count && !machine->nodes[n].event)
		n++;
	return n < machine->node_count;
}

static uint64_t build_dsdt(struct blob *blob, const struct acpi_machine *machine)
{
	size_t table = table_begin(blob, "DSDT", 2);
	size_t scope = aml_open_scope(blob, "\\_SB_");

	for (unsigned int n = 0; n < machine->node_count; n++)
		put_device(blob, n, &machine->nodes[n]);
	if (has_events(machine))
		put_events(blob, machine);
	for (unsigned int n = 0; n < machine->vcpus; n++)
		put_processor(blob, n);
	aml_close(blob, scope);
	return table_end(blob, table);
}

static uint64_t build_fadt(struct blob *blob, uint64_t dsdt)
{
	size_t table = table_begin(blob, "FACP", 6);

	blob_zero_to(blob, table + FADT_FLAGS);
	blob_put(blob, FADT_FLAG_HW_REDUCED, 4);
	blob_zero_to(blob, table + FADT_ARM_BOOT_ARCH);
	blob_put(blob, FADT_ARM_PSCI | FADT_ARM_PSCI_HVC, 2);
	assert(blob->size == table + FADT_MINOR_VERSION);
	blob_put(blob, 3, 1);
	blob_zero_to(blob, table + FADT_X_DSDT);
	blob_put(blob, dsdt, 8);
	blob_zero_to(blob, table + SC_FADT_VENDOR_OFFSET);
	blob_put_bytes(blob, SC_FADT_VENDOR, 8);
	assert(blob->size == table + FADT_SIZE);
	return table_end(blob, table);
}

/* At most 16 share affinity 0, for the sake of SGIs. */
uint64_t acpi_mpidr(unsigned int vcpu)
{
	return (vcpu & 0xf) | (uint64_t)(vcpu >> 4 & 0xff) << 8 | (uint64_t)(vcpu >> 12 & 0xff) << 16;
}

/* Without GICV, GICH, maintenance interrupt and PMU, whose fields are 0; the redistributors have their own entry. */
static void put_gicc(struct blob *blob, unsigned int vcpu)
{
	size_t entry = blob->size;

	blob_put(blob, MADT_GICC, 1);
	blob_put(blob, MADT_GICC_SIZE, 1);
	blob_put(blob, 0, 2);
	blob_put(blob, vcpu, 4); /* CPU interface number */
	blob_put(blob, vcpu, 4); /* _UID of the processor device */
	blob_put(blob, MADT_GICC_ENABLED, 4);
	blob_zero_to(blob, entry + MADT_GICC_MPIDR);
	blob_put(blob, acpi_mpidr(vcpu), 8);
	blob_zero_to(blob, entry + MADT_GICC_SIZE);
}

static void put_gicd(struct blob *blob)
{
	size_t entry = blob->size;

	blob_put(blob, MADT_GICD, 1);
	blob_put(blob, MADT_GICD_SIZE, 1);
	blob_put(blob, 0, 2);
	blob_put(blob, 0, 4); /* GIC id */
	blob_put(blob, LAYOUT_GICD_BASE, 8);
	blob_put(blob, 0, 4);
	blob_put(blob, 3, 1); /* GICv3 */
	blob_zero_to(blob, entry + MADT_GICD_SIZE);
}

static void put_gicr(struct blob *blob, unsigned int vcpus)
{
	blob_put(blob, MADT_GICR, 1);
	blob_put(blob, MADT_GICR_SIZE, 1);
	blob_put(blob, 0, 2);
	blob_put(blob, LAYOUT_GICR_BASE, 8);
	blob_put(blob, LAYOUT_GICR_VCPU_SIZE * vcpus, 4);
}

static uint64_t build_madt(struct blob *blob, unsigned int vcpus)
{
	size_t table = table_begin(blob, "APIC", 5);

	blob_put(blob, 0, 8); /* local interrupt controller and flags: not on arm64 */
	put_gicd(blob);
	for (unsigned int i = 0; i < vcpus; i++)
		put_gicc(blob, i);
	put_gicr(blob, vcpus);
	return table_end(blob, table);
}

static void put_timer(struct blob *blob, uint32_t intid)
{
	blob_put(blob, intid, 4);
	blob_put(blob, GTDT_LEVEL_ALWAYS_ON, 4);
}

static uint64_t build_gtdt(struct blob *blob)
{
	size_t table = table_begin(blob, "GTDT", 3);

	blob_put(blob, GTDT_NO_FRAME, 8);
	blob_put(blob, 0, 4);
	put_timer(blob, LAYOUT_TIMER_SECURE_INTID);
	put_timer(blob, LAYOUT_TIMER_PHYSICAL_INTID);
	put_timer(blob, LAYOUT_TIMER_VIRTUAL_INTID);
	put_timer(blob, LAYOUT_TIMER_HYP_INTID);
	blob_put(blob, GTDT_NO_FRAME, 8);
	blob_zero_to(blob, table + GTDT_SIZE); /* no platform timers, no EL2 virtual timer */
	return table_end(blob, table);
}

/* parent: offset of its node in the table, 0 for none. */
static void put_node(struct blob *blob, uint32_t flags, size_t parent, unsigned int id)
{
	blob_put(blob, PPTT_PROCESSOR, 1);
	blob_put(blob, PPTT_PROCESSOR_SIZE, 1);
	blob_put(blob, 0, 2);
	blob_put(blob, flags, 4);
	blob_put(blob, parent, 4);
	blob_put(blob, id, 4);
	blob_put(blob, 0, 4); /* no caches described: the registers do */
}

/* One package of cores. Without it Linux would guess packages from the affinities, 16 vCPUs each. */
static uint64_t build_pptt(struct blob *blob, unsigned int vcpus)
{
	size_t table = table_begin(blob, "PPTT", 2);

	put_node(blob, PPTT_PACKAGE, 0, 0);
	for (unsigned int i = 0; i < vcpus; i++)
		put_node(blob, PPTT_ID_VALID | PPTT_LEAF, HEADER_SIZE, i);
	return table_end(blob, table);
}

static uint64_t build_spcr(struct blob *blob)
{
	size_t table = table_begin(blob, "SPCR", 2);

	blob_put(blob, SPCR_PL011, 1);
	blob_put(blob, 0, 3);
	blob_put(blob, 0, 1);  /* in memory, ... */
	blob_put(blob, 32, 1); /* 32 bits wide */
	blob_put(blob, 0, 1);
	blob_put(blob, 3, 1); /* accessed by 32 bits */
	blob_put(blob, LAYOUT_UART_BASE, 8);
	blob_put(blob, SPCR_GIC, 1);
	blob_put(blob, 0, 1);
	blob_put(blob, LAYOUT_UART_INTID, 4);
	blob_put(blob, SPCR_115200, 1);
	blob_put(blob, 0, 1); /* no parity */
	blob_put(blob, SPCR_ONE_STOP_BIT, 1);
	blob_put(blob, 0, 1); /* no flow control */
	blob_put(blob, SPCR_VT_UTF8, 1);
	blob_put(blob, 0, 1);
	blob_put(blob, SPCR_NO_PCI_DEVICE, 2);
	blob_put(blob, SPCR_NO_PCI_DEVICE, 2);
	blob_zero_to(blob, table + SPCR_SIZE);
	return table_end(blob, table);
}

static uint64_t build_xsdt(struct blob *blob, const uint64_t *tables, size_t count)
{
	size_t table = table_begin(blob, "XSDT", 1);

	for (size_t i = 0; i < count; i++)
		blob_put(blob, tables[i], 8);
	return table_end(blob, table);
}

static uint64_t build_rsdp(struct blob *blob, uint64_t xsdt)
{
	size_t rsdp;

	blob_align(blob, 16);
	rsdp = blob->size;
	blob_put_bytes(blob, "RSD PTR ", 8);
	blob_put(blob, 0, 1);
	blob_put_bytes(blob, OEM_ID, 6);
	blob_put(blob, 2, 1); /* revision */
	blob_put(blob, 0, 4); /* no RSDT */
	blob_put(blob, RSDP_SIZE, 4);
	blob_put(blob, xsdt, 8);
	blob_zero_to(blob, rsdp + RSDP_SIZE);
	blob_patch(blob, rsdp + RSDP_CHECKSUM, checksum(blob, rsdp, RSDP_V1_SIZE), 1);
	blob_patch(blob, rsdp + RSDP_EXTENDED_CHECKSUM, checksum(blob, rsdp, RSDP_SIZE), 1);
	return blob->base + rsdp;
}

uint64_t acpi_build(struct blob *blob, const struct acpi_machine *machine)
{
	uint64_t dsdt, tables[5];

	assert(machine->vcpus > 0 && machine->vcpus <= ACPI_VCPUS_MAX && machine->node_count <= ACPI_NODES_MAX);
	dsdt = build_dsdt(blob, machine);
	tables[0] = build_fadt(blob, dsdt);
	tables[1] = build_madt(blob, machine->vcpus);
	tables[2] = build_gtdt(blob);
	tables[3] = build_pptt(blob, machine->vcpus);
	tables[4] = build_spcr(blob);
	return build_rsdp(blob, build_xsdt(blob, tables, sizeof(tables) / sizeof(tables[0])));
}
