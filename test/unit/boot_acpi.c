/* SPDX-License-Identifier: BSD-2-Clause */
/* The ACPI tables, read as a guest reads them: from the root pointer on, for few and for many vCPUs. */
#include "boot_fixture.h"

#include "boot/acpi.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

#define BASE 0x5fff0000ull
#define ROOM 0x8000u /* the largest size that acpi_build() promises */
#define NODES 2u

static const unsigned int counts[] = { 1, 2, 16, 17, 123 };

struct tables {
	uint8_t bytes[ROOM];
	struct fixture_memory memory;
	uint64_t root;
};

static void build_machine(struct tables *tables, const struct acpi_machine *machine)
{
	struct blob blob = { .bytes = tables->bytes, .capacity = ROOM, .base = BASE };

	memset(tables->bytes, 0xa5, ROOM);
	tables->root = acpi_build(&blob, machine);
	tables->memory = (struct fixture_memory){ tables->bytes, blob.size, BASE };
}

static void build(struct tables *tables, unsigned int vcpus)
{
	static const struct acpi_node nodes[NODES] = {
		{ .hid = "ARMH0011", .base = LAYOUT_UART_BASE, .size = LAYOUT_UART_SIZE, .intid = LAYOUT_UART_INTID },
		{ .hid = "LNRO0005",
		  .uid = 31,
		  .base = LAYOUT_VIRTIO_BASE + 31 * LAYOUT_VIRTIO_SIZE,
		  .size = LAYOUT_VIRTIO_SIZE,
		  .intid = LAYOUT_VIRTIO_INTID + 31,
		  .coherent = true },
	};

	build_machine(tables, &(struct acpi_machine){ .vcpus = vcpus, .nodes = nodes, .node_count = NODES });
}

static void check_fadt(struct tables *tables)
{
	const uint8_t *fadt = fixture_find(&tables->memory, tables->root, "FACP");

	assert_int_equal(fixture_load(fadt + 4, 4), 276);
	assert_int_equal(fadt[8], 6);
	assert_int_equal(fadt[131], 3);
	assert_int_equal(fixture_load(fadt + 112, 4), 1 << 20); /* hardware-reduced */
	assert_int_equal(fixture_load(fadt + 129, 2), 3);	/* PSCI, by HVC */
	assert_memory_equal(fadt + 268, "MsHyperV", 8);
	fixture_table(&tables->memory, fixture_load(fadt + 140, 8), "DSDT");
}

static void check_gicc(const uint8_t *entry, unsigned int vcpu)
{
	assert_int_equal(entry[0], 0x0b);
	assert_int_equal(entry[1], 80);
	assert_int_equal(fixture_load(entry + 8, 4), vcpu);
	assert_int_equal(fixture_load(entry + 12, 4), 1);
	assert_int_equal(fixture_load(entry + 20, 4), 0); /* no PMU */
	assert_int_equal(fixture_load(entry + 60, 8), 0); /* the redistributor is in the range of all */
	assert_int_equal(fixture_load(entry + 68, 8), vcpu % 16 + (vcpu / 16 << 8));
}

static void check_madt(struct tables *tables, unsigned int vcpus)
{
	const uint8_t *madt = fixture_find(&tables->memory, tables->root, "APIC");
	const uint8_t *entry = madt + 44;

	assert_int_equal(fixture_load(madt + 4, 4), 44 + 24 + 80 * vcpus + 16);
	assert_int_equal(entry[0], 0x0c);
	assert_int_equal(entry[1], 24);
	assert_int_equal(fixture_load(entry + 8, 8), 0x08000000);
	assert_int_equal(entry[20], 3);
	entry += 24;
	for (unsigned int i = 0; i < vcpus; i++, entry += 80)
		check_gicc(entry, i);
	assert_int_equal(entry[0], 0x0e);
	assert_int_equal(entry[1], 16);
	assert_int_equal(fixture_load(entry + 4, 8), 0x080a0000);
	assert_int_equal(fixture_load(entry + 12, 4), 0x20000 * vcpus);
	assert_true(0x080a0000 + 0x20000 * vcpus <= 0x09000000);
}

static void check_gtdt(struct tables *tables)
{
	static const uint32_t timers[] = { 29, 30, 27, 26 };
	const uint8_t *gtdt = fixture_find(&tables->memory, tables->root, "GTDT");

	assert_int_equal(fixture_load(gtdt + 4, 4), 104);
	assert_true(fixture_load(gtdt + 36, 8) == UINT64_MAX);
	for (int i = 0; i < 4; i++) {
		assert_int_equal(fixture_load(gtdt + 48 + 8 * i, 4), timers[i]);
		assert_int_equal(fixture_load(gtdt + 52 + 8 * i, 4), 4); /* level, high, always on */
	}
	assert_true(fixture_load(gtdt + 80, 8) == UINT64_MAX);
	assert_int_equal(fixture_load(gtdt + 88, 4), 0);
}

static void check_spcr(struct tables *tables)
{
	const uint8_t *spcr = fixture_find(&tables->memory, tables->root, "SPCR");

	assert_int_equal(fixture_load(spcr + 4, 4), 80);
	assert_int_equal(spcr[8], 2);
	assert_int_equal(spcr[36], 3); /* PL011 */
	assert_int_equal(fixture_load(spcr + 44, 8), 0x09000000);
	assert_int_equal(spcr[52], 8);
	assert_int_equal(fixture_load(spcr + 54, 4), 33);
}

static void check_pptt(struct tables *tables, unsigned int vcpus)
{
	const uint8_t *pptt = fixture_find(&tables->memory, tables->root, "PPTT");

	assert_int_equal(fixture_load(pptt + 4, 4), 36 + 20 + 20 * vcpus);
	assert_int_equal(fixture_load(pptt + 36 + 4, 4), 1); /* a package, ... */
	for (unsigned int i = 0; i < vcpus; i++) {
		const uint8_t *node = pptt + 56 + 20 * i;

		assert_int_equal(fixture_load(node + 4, 4), 2 | 8); /* ... of cores with a processor's id */
		assert_int_equal(fixture_load(node + 8, 4), 36);
		assert_int_equal(fixture_load(node + 12, 4), i);
	}
}

/* A package length of three bytes; the end of the package, which is within `end`. */
static const uint8_t *package_end(const uint8_t *package, const uint8_t *end)
{
	size_t length = (package[0] & 0xf) | (size_t)fixture_load(package + 1, 2) << 4;

	assert_int_equal(package[0] & 0xf0, 0x80);
	assert_true(length <= (size_t)(end - package));
	return package + length;
}

/* Name (_HID, ...) and Name (_UID, ...); what follows them. */
static const uint8_t *check_identity(const uint8_t *code, const char *hid, uint32_t uid)
{
	assert_memory_equal(code, "\x08_HID\x0d", 6);
	assert_string_equal((const char *)code + 6, hid);
	code += 6 + strlen(hid) + 1;
	assert_memory_equal(code, "\x08_UID\x0c", 6);
	assert_int_equal(fixture_load(code + 6, 4), uid);
	return code + 10;
}

static void check_uart(const uint8_t *device, const uint8_t *end)
{
	static const uint8_t resources[] = {
		0x08, '_', 'C', 'R', 'S', 0x11, 0x8f, 1, 0, /* Name (_CRS, Buffer) of 31 bytes, this length and */
		0x0c, 23,  0,	0,   0,			    /* its size, as a double word */
		0x86, 9,   0,	1,   0,	  0,	0,    9, 0,
		0x10, 0,   0,				    /* Memory32Fixed (ReadWrite, 0x09000000, 0x1000) */
		0x89, 6,   0,	1,   1,	  33,	0,    0, 0, /* Interrupt (ResourceConsumer, Level, ActiveHigh) { 33 } */
		0x79, 0,
	};

	device = check_identity(device + 4, "ARMH0011", 0);
	assert_int_equal(end - device, sizeof(resources));
	assert_memory_equal(device, resources, sizeof(resources));
}

/* As the UART, but that it reaches memory: Name (_CCA, 1) stands before the resources. */
static void check_virtio(const uint8_t *device, const uint8_t *end)
{
	static const uint8_t resources[] = {
		0x08, '_', 'C', 'C', 'A',  0x0c, 1,    0,    0, 0,		   /* Name (_CCA, 1) */
		0x08, '_', 'C', 'R', 'S',  0x11, 0x8f, 1,    0, 0x0c, 23, 0, 0, 0, /* Name (_CRS, Buffer) */
		0x86, 9,   0,	1,   0x00, 0x3e, 0x00, 0x0a,			   /* Memory32Fixed (ReadWrite, */
		0x00, 2,   0,	0,						   /* 0x0a003e00, 0x200) */
		0x89, 6,   0,	1,   1,	   79,	 0,    0,    0, /* Interrupt (..., Level, ...) { 79 } */
		0x79, 0,
	};

	device = check_identity(device + 4, "LNRO0005", 31);
	assert_int_equal(end - device, sizeof(resources));
	assert_memory_equal(device, resources, sizeof(resources));
}

/* The scope fills the table, the devices fill the scope. */
static void check_dsdt(struct tables *tables, unsigned int vcpus)
{
	const uint8_t *fadt = fixture_find(&tables->memory, tables->root, "FACP");
	const uint8_t *dsdt = fixture_table(&tables->memory, fixture_load(fadt + 140, 8), "DSDT");
	const uint8_t *end = dsdt + fixture_load(dsdt + 4, 4);
	const uint8_t *code = dsdt + 36;
	unsigned int devices = 0;

	assert_int_equal(code[0], 0x10);
	assert_ptr_equal(package_end(code + 1, end), end);
	assert_memory_equal(code + 4, "\\_SB_", 5);
	for (code += 9; code < end; devices++) {
		const uint8_t *device = code + 5;

		assert_memory_equal(code, "\x5b\x82", 2);
		code = package_end(code + 2, end);
		if (devices == 0)
			check_uart(device, code);
		else if (devices == 1)
			check_virtio(device, code);
		else
			assert_ptr_equal(check_identity(device + 4, "ACPI0007", devices - NODES), code);
	}
	assert_int_equal(devices, NODES + vcpus);
}

static void test_tables(void **state)
{
	static struct tables tables;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(counts); i++) {
		build(&tables, counts[i]);
		check_fadt(&tables);
		check_madt(&tables, counts[i]);
		check_gtdt(&tables);
		check_spcr(&tables);
		check_pptt(&tables, counts[i]);
		check_dsdt(&tables, counts[i]);
	}
}

/* Names of devices in one scope differ. */
static void test_processor_names(void **state)
{
	static struct tables tables;
	const uint8_t *dsdt = tables.bytes;

	(void)state;
	build(&tables, 123);
	assert_memory_equal(dsdt, "DSDT", 4);
	for (unsigned int i = 0; i < 123; i++) {
		char name[8];

		snprintf(name, sizeof(name), "C%03X", i);
		assert_non_null(memmem(dsdt, fixture_load(dsdt + 4, 4), name, 4));
	}
}

/* ---- Events, as the disassembler of ACPICA reads them ---- */

/* Copies a file of ASL without comments and blanks. */
static void read_plain(FILE *file, char *text, size_t room)
{
	static char line[4096];
	size_t count = 0;

	while (fgets(line, sizeof(line), file)) {
		char *comment = strstr(line, "//");

		if (comment)
			*comment = '\0';
		while ((comment = strstr(line, "/*")) && strstr(comment, "*/"))
			memmove(comment, strstr(comment, "*/") + 2, strlen(strstr(comment, "*/") + 2) + 1);
		for (const char *c = line; *c; c++)
			if (!isspace(*c) && count + 1 < room)
				text[count++] = *c;
	}
	text[count] = '\0';
}

/* The DSDT as source text. */
static void disassemble(const struct tables *tables, char *text, size_t room)
{
	char folder[] = "/tmp/boot_acpi.XXXXXX", command[128], path[64];
	const uint8_t *dsdt = tables->bytes;
	size_t size = fixture_load(dsdt + 4, 4);
	FILE *file;

	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/dsdt.aml", folder);
	file = fopen(path, "w");
	assert_non_null(file);
	assert_int_equal(fwrite(dsdt, 1, size, file), size);
	fclose(file);
	snprintf(command, sizeof(command), "iasl -d %s >%s/log 2>&1", path, folder);
	assert_int_equal(system(command), 0);
	snprintf(path, sizeof(path), "%s/dsdt.dsl", folder);
	file = fopen(path, "r");
	assert_non_null(file);
	read_plain(file, text, room);
	fclose(file);
	snprintf(command, sizeof(command), "rm -r %s", folder);
	assert_int_equal(system(command), 0);
}

static void test_events(void **state)
{
	static const struct acpi_node nodes[] = {
		{ .hid = "LNRO0005", .base = 0xa000000, .size = 0x200, .intid = 48, .coherent = true },
		{ .hid = "PNP0C0C", .intid = 36, .event = true },
		{ .hid = "AMZNC10C", .cid = "VMCLOCK", .base = 0xb000000, .size = 0x10000, .intid = 38, .event = true },
		{ .hid = "VMGENCTR",
		  .cid = "VM_Gen_Counter",
		  .base = 0x10b010000,
		  .size = 16,
		  .intid = 37,
		  .address = true,
		  .event = true },
		{ .hid = "LNRO0005",
		  .uid = 1,
		  .base = 0xa000200,
		  .size = 0x200,
		  .intid = 49,
		  .coherent = true,
		  .edge = true },
	};
	static const char *const expected[] = {
		"Device(D000){Name(_HID,\"LNRO0005\")Name(_UID,0x00000000)Name(_CCA,0x00000001)Name(_CRS,"
		"ResourceTemplate()"
		"{Memory32Fixed(ReadWrite,0x0A000000,0x00000200,)"
		"Interrupt(ResourceConsumer,Level,ActiveHigh,Exclusive,,,){0x00000030,}})}",
		"Device(D001){Name(_HID,\"PNP0C0C\")Name(_UID,0x00000000)}",
		"Name(_CID,\"VMCLOCK\")Name(_DDN,\"VMCLOCK\")",
		"Memory32Fixed(ReadWrite,0x0B000000,0x00010000,)})}",
		"Name(ADDR,Package(0x02){0x0B010000,0x00000001})}",
		"{Memory32Fixed(ReadWrite,0x0A000200,0x00000200,)"
		"Interrupt(ResourceConsumer,Edge,ActiveHigh,Exclusive,,,){0x00000031,}})}",
		"Device(EVNT){Name(_HID,\"ACPI0013\")",
		"{Interrupt(ResourceConsumer,Edge,ActiveHigh,Exclusive,,,){0x00000024,}"
		"Interrupt(ResourceConsumer,Edge,ActiveHigh,Exclusive,,,){0x00000026,}"
		"Interrupt(ResourceConsumer,Edge,ActiveHigh,Exclusive,,,){0x00000025,}})",
		"Method(_EVT,1,NotSerialized){If((Arg0==0x00000024)){Notify(D001,0x80)}"
		"If((Arg0==0x00000026)){Notify(D002,0x80)}If((Arg0==0x00000025)){Notify(D003,0x80)}}",
	};
	static struct tables tables;
	static char text[1 << 16];

	(void)state;
	build_machine(&tables, &(struct acpi_machine){ .vcpus = 2, .nodes = nodes, .node_count = ARRAY_SIZE(nodes) });
	disassemble(&tables, text, sizeof(text));
	for (size_t i = 0; i < ARRAY_SIZE(expected); i++)
		if (!strstr(text, expected[i]))
			fail_msg("no %s in %s", expected[i], strstr(text, "Scope"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_tables),
		cmocka_unit_test(test_processor_names),
		cmocka_unit_test(test_events),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
