/* SPDX-License-Identifier: BSD-2-Clause */
/* The device tree that firmware finds: see the header. */
#include "boot/tree.h"

#include <assert.h>
#include <libfdt.h>
#include <stdio.h>
#include <string.h>

#define PHANDLE_GIC 1u
#define PHANDLE_CLOCK 2u
#define CLOCK_HZ 24000000u

#define GIC_SPI 0u
#define GIC_PPI 1u
#define GIC_SPI_FIRST 32u
#define GIC_PPI_FIRST 16u
#define EDGE_RISING 1u
#define LEVEL_HIGH 4u

#define UART_NAME "pl011@9000000"
#define VIRTIO_HID "LNRO0005"

#define NAME_SIZE 32
#define CELLS_MAX 16

/*
 * The writer of one tree. libfdt fails only if the buffer is too small, which it is not: the codes are gathered for the
 * assertion alone.
 */
struct tree {
	void *fdt;
	int failed;
};

static void node_begin(struct tree *tree, const char *name)
{
	tree->failed |= fdt_begin_node(tree->fdt, name);
}

/* A node with the address of its registers in its name. */
static void node_begin_at(struct tree *tree, const char *kind, uint64_t base)
{
	char name[NAME_SIZE];

	snprintf(name, sizeof(name), "%s@%llx", kind, (unsigned long long)base);
	node_begin(tree, name);
}

static void node_end(struct tree *tree)
{
	tree->failed |= fdt_end_node(tree->fdt);
}

static void put_text(struct tree *tree, const char *name, const char *text)
{
	tree->failed |= fdt_property_string(tree->fdt, name, text);
}

static void put_flag(struct tree *tree, const char *name)
{
	tree->failed |= fdt_property(tree->fdt, name, NULL, 0);
}

static void put_cell(struct tree *tree, const char *name, uint32_t cell)
{
	tree->failed |= fdt_property_u32(tree->fdt, name, cell);
}

static void put_cells(struct tree *tree, const char *name, const uint32_t *cells, size_t count)
{
	fdt32_t words[CELLS_MAX];

	assert(count <= CELLS_MAX);
	for (size_t n = 0; n < count; n++)
		words[n] = cpu_to_fdt32(cells[n]);
	tree->failed |= fdt_property(tree->fdt, name, words, (int)(count * sizeof(words[0])));
}

/* Pairs of base and size. */
static void put_regions(struct tree *tree, const uint64_t *values, size_t count)
{
	uint32_t cells[CELLS_MAX];

	assert(2 * count <= CELLS_MAX);
	for (size_t n = 0; n < count; n++) {
		cells[2 * n] = (uint32_t)(values[n] >> 32);
		cells[2 * n + 1] = (uint32_t)values[n];
	}
	put_cells(tree, "reg", cells, 2 * count);
}

static void put_region(struct tree *tree, uint64_t base, uint64_t size)
{
	const uint64_t region[] = { base, size };

	put_regions(tree, region, 2);
}

static void put_interrupt(struct tree *tree, uint32_t intid, bool edge)
{
	const uint32_t cells[] = { GIC_SPI, intid - GIC_SPI_FIRST, edge ? EDGE_RISING : LEVEL_HIGH };

	put_cells(tree, "interrupts", cells, 3);
}

/* What a PrimeCell has besides; `clocks` are its names, separated and ended by zero bytes. */
static void put_primecell(struct tree *tree, const char *compatible, size_t compatible_size, const char *clocks,
			  size_t clocks_size, size_t count)
{
	const uint32_t phandles[] = { PHANDLE_CLOCK, PHANDLE_CLOCK };

	tree->failed |= fdt_property(tree->fdt, "compatible", compatible, (int)compatible_size);
	tree->failed |= fdt_property(tree->fdt, "clock-names", clocks, (int)clocks_size);
	put_cells(tree, "clocks", phandles, count);
}

/* ---- Nodes ---- */

static void put_chosen(struct tree *tree)
{
	node_begin(tree, "chosen");
	put_text(tree, "stdout-path", "/" UART_NAME);
	node_end(tree);
}

static void put_memory(struct tree *tree, uint64_t size)
{
	node_begin_at(tree, "memory", LAYOUT_RAM_BASE);
	put_text(tree, "device_type", "memory");
	put_region(tree, LAYOUT_RAM_BASE, size);
	node_end(tree);
}

static void put_cpus(struct tree *tree, unsigned int vcpus)
{
	node_begin(tree, "cpus");
	put_cell(tree, "#address-cells", 1);
	put_cell(tree, "#size-cells", 0);
	for (unsigned int n = 0; n < vcpus; n++) {
		node_begin_at(tree, "cpu", acpi_mpidr(n));
		put_text(tree, "device_type", "cpu");
		put_text(tree, "compatible", "arm,armv8");
		put_text(tree, "enable-method", "psci");
		put_cell(tree, "reg", (uint32_t)acpi_mpidr(n));
		node_end(tree);
	}
	node_end(tree);
}

static void put_psci(struct tree *tree)
{
	static const char compatible[] = "arm,psci-1.0\0arm,psci-0.2\0arm,psci";

	node_begin(tree, "psci");
	tree->failed |= fdt_property(tree->fdt, "compatible", compatible, sizeof(compatible));
	put_text(tree, "method", "hvc");
	node_end(tree);
}

static void put_gic(struct tree *tree, unsigned int vcpus)
{
	const uint64_t regions[] = { LAYOUT_GICD_BASE, LAYOUT_GICD_SIZE, LAYOUT_GICR_BASE,
				     LAYOUT_GICR_VCPU_SIZE * vcpus };

	node_begin_at(tree, "intc", LAYOUT_GICD_BASE);
	put_text(tree, "compatible", "arm,gic-v3");
	put_flag(tree, "interrupt-controller");
	put_cell(tree, "#interrupt-cells", 3);
	put_cell(tree, "#redistributor-regions", 1);
	put_regions(tree, regions, 4);
	put_cell(tree, "phandle", PHANDLE_GIC);
	node_end(tree);
}

/* In the order of the binding: secure, physical, virtual, hypervisor. */
static void put_timer(struct tree *tree)
{
	static const char compatible[] = "arm,armv8-timer\0arm,armv7-timer";
	static const uint32_t intids[] = { LAYOUT_TIMER_SECURE_INTID, LAYOUT_TIMER_PHYSICAL_INTID,
					   LAYOUT_TIMER_VIRTUAL_INTID, LAYOUT_TIMER_HYP_INTID };
	uint32_t cells[12];

	for (size_t n = 0; n < 4; n++) {
		cells[3 * n] = GIC_PPI;
		cells[3 * n + 1] = intids[n] - GIC_PPI_FIRST;
		cells[3 * n + 2] = LEVEL_HIGH;
	}
	node_begin(tree, "timer");
	tree->failed |= fdt_property(tree->fdt, "compatible", compatible, sizeof(compatible));
	put_flag(tree, "always-on");
	put_cells(tree, "interrupts", cells, 12);
	node_end(tree);
}

static void put_clock(struct tree *tree)
{
	node_begin(tree, "apb-pclk");
	put_text(tree, "compatible", "fixed-clock");
	put_cell(tree, "#clock-cells", 0);
	put_cell(tree, "clock-frequency", CLOCK_HZ);
	put_text(tree, "clock-output-names", "clk24mhz");
	put_cell(tree, "phandle", PHANDLE_CLOCK);
	node_end(tree);
}

static void put_uart(struct tree *tree)
{
	static const char compatible[] = "arm,pl011\0arm,primecell", clocks[] = "uartclk\0apb_pclk";

	node_begin(tree, UART_NAME);
	put_primecell(tree, compatible, sizeof(compatible), clocks, sizeof(clocks), 2);
	put_region(tree, LAYOUT_UART_BASE, LAYOUT_UART_SIZE);
	put_interrupt(tree, LAYOUT_UART_INTID, false);
	node_end(tree);
}

static void put_rtc(struct tree *tree)
{
	static const char compatible[] = "arm,pl031\0arm,primecell", clocks[] = "apb_pclk";

	node_begin_at(tree, "pl031", LAYOUT_RTC_BASE);
	put_primecell(tree, compatible, sizeof(compatible), clocks, sizeof(clocks), 1);
	put_region(tree, LAYOUT_RTC_BASE, LAYOUT_RTC_SIZE);
	put_interrupt(tree, LAYOUT_RTC_INTID, false);
	node_end(tree);
}

static void put_fwcfg(struct tree *tree)
{
	node_begin_at(tree, "fw-cfg", LAYOUT_FWCFG_BASE);
	put_text(tree, "compatible", "qemu,fw-cfg-mmio");
	put_region(tree, LAYOUT_FWCFG_BASE, LAYOUT_FWCFG_SIZE);
	put_flag(tree, "dma-coherent");
	node_end(tree);
}

static void put_flash(struct tree *tree)
{
	static const uint64_t banks[] = { LAYOUT_FLASH_CODE_BASE, LAYOUT_FLASH_BANK_SIZE, LAYOUT_FLASH_VARIABLES_BASE,
					  LAYOUT_FLASH_BANK_SIZE };

	node_begin_at(tree, "flash", LAYOUT_FLASH_CODE_BASE);
	put_text(tree, "compatible", "cfi-flash");
	put_cell(tree, "bank-width", 4);
	put_regions(tree, banks, 4);
	node_end(tree);
}

static void put_virtio(struct tree *tree, const struct acpi_node *node)
{
	node_begin_at(tree, "virtio_mmio", node->base);
	put_text(tree, "compatible", "virtio,mmio");
	put_region(tree, node->base, node->size);
	put_interrupt(tree, node->intid, node->edge);
	put_flag(tree, "dma-coherent");
	node_end(tree);
}

static void put_devices(struct tree *tree, const struct acpi_machine *machine)
{
	put_uart(tree);
	put_rtc(tree);
	put_fwcfg(tree);
	put_flash(tree);
	for (unsigned int n = 0; n < machine->node_count; n++)
		if (!strcmp(machine->nodes[n].hid, VIRTIO_HID))
			put_virtio(tree, &machine->nodes[n]);
}

void tree_write(void *buffer, const struct acpi_machine *machine, uint64_t ram_size)
{
	struct tree tree = { .fdt = buffer };

	tree.failed |= fdt_create(buffer, TREE_SIZE);
	tree.failed |= fdt_finish_reservemap(buffer);
	node_begin(&tree, "");
	put_text(&tree, "compatible", "linux,dummy-virt");
	put_cell(&tree, "#address-cells", 2);
	put_cell(&tree, "#size-cells", 2);
	put_cell(&tree, "interrupt-parent", PHANDLE_GIC);
	put_chosen(&tree);
	put_memory(&tree, ram_size);
	put_cpus(&tree, machine->vcpus);
	put_psci(&tree);
	put_gic(&tree, machine->vcpus);
	put_timer(&tree);
	put_clock(&tree);
	put_devices(&tree, machine);
	node_end(&tree);
	tree.failed |= fdt_finish(buffer);
	assert(!tree.failed);
}
