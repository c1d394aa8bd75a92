/* SPDX-License-Identifier: BSD-2-Clause */
/* ACPI tables for firmware: the commands carried out as firmware does it, and the tables read from the root on. */
#include "boot_fixture.h"

#include "boot/loader.h"

#include <stdlib.h>

#define BASE 0x5fff0000ull
#define RSDP_AT 0xf000u /* in the memory that firmware gives */

static const struct acpi_node nodes[] = {
	{ .hid = "ARMH0011", .base = LAYOUT_UART_BASE, .size = LAYOUT_UART_SIZE, .intid = LAYOUT_UART_INTID },
};
static const struct acpi_machine described = { .vcpus = 2, .nodes = nodes, .node_count = 1 };

struct placed {
	struct loader loader;
	uint8_t bytes[LOADER_TABLES_SIZE];
	size_t allocated;
};

static uint8_t *file_at(struct placed *placed, const uint8_t *name)
{
	if (!strcmp((const char *)name, "etc/acpi/rsdp"))
		return placed->bytes + RSDP_AT;
	assert_string_equal((const char *)name, "etc/acpi/tables");
	return placed->bytes;
}

static void allocate(struct placed *placed, const uint8_t *command)
{
	bool rsdp = file_at(placed, command + 4) != placed->bytes;

	assert_int_equal(fixture_load(command + 60, 4), rsdp ? 16 : 64);
	assert_int_equal(command[64], rsdp ? 2 : 1);
	memcpy(file_at(placed, command + 4), rsdp ? placed->loader.rsdp : placed->loader.tables,
	       rsdp ? 36 : placed->loader.tables_size);
	placed->allocated++;
}

static void add_pointer(struct placed *placed, const uint8_t *command)
{
	uint8_t *place = file_at(placed, command + 4) + fixture_load(command + 116, 4);

	assert_int_equal(placed->allocated, 2);
	assert_string_equal((const char *)command + 60, "etc/acpi/tables");
	assert_int_equal(command[120], 8);
	assert_true(fixture_load(place, 8) < placed->loader.tables_size);
	fixture_store(place, 8, fixture_load(place, 8) + BASE);
}

static void add_checksum(struct placed *placed, const uint8_t *command)
{
	uint8_t *file = file_at(placed, command + 4), sum = 0;
	size_t start = fixture_load(command + 64, 4);

	for (size_t n = 0; n < fixture_load(command + 68, 4); n++)
		sum = (uint8_t)(sum + file[start + n]);
	file[fixture_load(command + 60, 4)] = (uint8_t)-sum;
}

static void carry_out(struct placed *placed)
{
	void (*const actions[])(struct placed *, const uint8_t *) = { NULL, allocate, add_pointer, add_checksum };

	assert_int_equal(placed->loader.commands_size % 128, 0);
	for (size_t at = 0; at < placed->loader.commands_size; at += 128) {
		uint64_t kind = fixture_load(placed->loader.commands + at, 4);

		assert_in_range(kind, 1, 3);
		actions[kind](placed, placed->loader.commands + at);
	}
}

static void test_tables(void **state)
{
	static const char *const signatures[] = { "FACP", "APIC", "GTDT", "PPTT", "SPCR" };
	struct placed *placed = calloc(1, sizeof(*placed));
	const struct fixture_memory memory = { placed->bytes, sizeof(placed->bytes), BASE };
	const uint8_t *fadt;

	(void)state;
	loader_build(&placed->loader, &described);
	assert_true(placed->loader.tables_size <= RSDP_AT);
	carry_out(placed);
	for (size_t n = 0; n < ARRAY_SIZE(signatures); n++)
		fixture_find(&memory, BASE + RSDP_AT, signatures[n]);
	fadt = fixture_find(&memory, BASE + RSDP_AT, "FACP");
	assert_memory_equal(fadt + 268, "MsHyperV", 8);
	fixture_table(&memory, fixture_load(fadt + 140, 8), "DSDT");
	free(placed);
}

/* A table is the one of a direct boot: the DSDT holds no address, so that all of it is the same. */
static void test_same(void **state)
{
	struct placed *placed = calloc(1, sizeof(*placed));
	uint8_t *direct = calloc(1, LOADER_TABLES_SIZE);
	struct blob blob = { .bytes = direct, .capacity = LOADER_TABLES_SIZE, .base = BASE };

	(void)state;
	loader_build(&placed->loader, &described);
	acpi_build(&blob, &described);
	assert_memory_equal(placed->loader.tables, direct, fixture_load(direct + 4, 4));
	free(direct);
	free(placed);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_tables),
		cmocka_unit_test(test_same),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
