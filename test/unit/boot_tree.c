/* SPDX-License-Identifier: BSD-2-Clause */
/* The device tree for firmware, read as EDK2 reads it: by what nodes are compatible with. */
#include "unit.h"

#include "boot/tree.h"

#include <libfdt.h>
#include <stdio.h>
#include <string.h>

static const struct acpi_node nodes[] = {
	{ .hid = "ARMH0011", .base = LAYOUT_UART_BASE, .size = LAYOUT_UART_SIZE, .intid = LAYOUT_UART_INTID },
	{ .hid = "LNRO0005", .base = 0x0a000000, .size = 0x200, .intid = 48 },
	{ .hid = "LNRO0005", .base = 0x0a001000, .size = 0x200, .intid = 56, .edge = true },
	{ .hid = "PNP0C0C" },
};

static uint8_t tree[TREE_SIZE];

static void build(unsigned int vcpus, uint64_t ram)
{
	const struct acpi_machine machine = { .vcpus = vcpus, .nodes = nodes, .node_count = ARRAY_SIZE(nodes) };

	memset(tree, 0xa5, sizeof(tree));
	tree_write(tree, &machine, ram);
	assert_int_equal(fdt_check_full(tree, sizeof(tree)), 0);
}

static int node(const char *compatible)
{
	int found = fdt_node_offset_by_compatible(tree, -1, compatible);

	if (found < 0)
		fail_msg("no node is compatible with %s", compatible);
	return found;
}

static void expect_cells(int place, const char *name, const uint32_t *cells, size_t count)
{
	int size;
	const fdt32_t *there = fdt_getprop(tree, place, name, &size);

	assert_non_null(there);
	assert_int_equal(size, count * 4);
	for (size_t n = 0; n < count; n++)
		assert_int_equal(fdt32_to_cpu(there[n]), cells[n]);
}

#define EXPECT_CELLS(place, name, ...)                                                                                 \
	expect_cells(place, name, (const uint32_t[]){ __VA_ARGS__ }, sizeof((uint32_t[]){ __VA_ARGS__ }) / 4)

static void expect_text(int place, const char *name, const char *text)
{
	const char *there = fdt_getprop(tree, place, name, NULL);

	assert_non_null(there);
	assert_string_equal(there, text);
}

static void test_devices(void **state)
{
	int place;

	(void)state;
	build(2, 256ull << 20);
	EXPECT_CELLS(node("arm,pl011"), "reg", 0, 0x09000000, 0, 0x1000);
	EXPECT_CELLS(node("arm,pl011"), "interrupts", 0, 1, 4);
	EXPECT_CELLS(node("arm,pl031"), "reg", 0, 0x09010000, 0, 0x1000);
	EXPECT_CELLS(node("qemu,fw-cfg-mmio"), "reg", 0, 0x09020000, 0, 0x18);
	EXPECT_CELLS(node("cfi-flash"), "reg", 0, 0, 0, 0x04000000, 0, 0x04000000, 0, 0x04000000);
	EXPECT_CELLS(node("cfi-flash"), "bank-width", 4);
	EXPECT_CELLS(node("arm,gic-v3"), "reg", 0, 0x08000000, 0, 0x10000, 0, 0x080a0000, 0, 0x40000);
	EXPECT_CELLS(node("arm,armv8-timer"), "interrupts", 1, 13, 4, 1, 14, 4, 1, 11, 4, 1, 10, 4);
	expect_text(node("arm,psci"), "method", "hvc");
	expect_text(node("arm,psci-0.2"), "method", "hvc");
	expect_text(fdt_path_offset(tree, "/chosen"), "stdout-path", "/pl011@9000000");
	assert_true(fdt_path_offset(tree, "/pl011@9000000") >= 0);
	place = node("virtio,mmio");
	EXPECT_CELLS(place, "reg", 0, 0x0a000000, 0, 0x200);
	EXPECT_CELLS(place, "interrupts", 0, 16, 4);
	assert_non_null(fdt_getprop(tree, place, "dma-coherent", NULL));
	place = fdt_node_offset_by_compatible(tree, place, "virtio,mmio");
	EXPECT_CELLS(place, "reg", 0, 0x0a001000, 0, 0x200);
	EXPECT_CELLS(place, "interrupts", 0, 24, 1);
	assert_true(fdt_node_offset_by_compatible(tree, place, "virtio,mmio") < 0);
}

static void test_size(void **state)
{
	char name[16];

	(void)state;
	build(8, 64ull << 30);
	EXPECT_CELLS(fdt_path_offset(tree, "/memory@40000000"), "reg", 0, 0x40000000, 16, 0);
	for (unsigned int n = 0; n < 8; n++) {
		snprintf(name, sizeof(name), "/cpus/cpu@%u", n);
		EXPECT_CELLS(fdt_path_offset(tree, name), "reg", n);
		expect_text(fdt_path_offset(tree, name), "enable-method", "psci");
	}
	assert_true(fdt_path_offset(tree, "/cpus/cpu@8") < 0);
	EXPECT_CELLS(node("arm,gic-v3"), "reg", 0, 0x08000000, 0, 0x10000, 0, 0x080a0000, 0, 0x100000);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_devices),
		cmocka_unit_test(test_size),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
