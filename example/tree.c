/* SPDX-License-Identifier: BSD-2-Clause */
/* The device tree of the example monitor: see the header. */
#include "tree.h"

#include <libfdt.h>
#include <stdint.h>

static void put_reg(void *tree, uint64_t base, uint64_t size, uint64_t base2, uint64_t size2)
{
	const fdt64_t cells[] = { cpu_to_fdt64(base), cpu_to_fdt64(size), cpu_to_fdt64(base2), cpu_to_fdt64(size2) };

	fdt_property(tree, "reg", cells, size2 ? 32 : 16);
}

static void put_cpu(void *tree)
{
	fdt_begin_node(tree, "cpus");
	fdt_property_u32(tree, "#address-cells", 1);
	fdt_property_u32(tree, "#size-cells", 0);
	fdt_begin_node(tree, "cpu@0");
	fdt_property_string(tree, "device_type", "cpu");
	fdt_property_string(tree, "compatible", "arm,armv8");
	fdt_property_u32(tree, "reg", 0);
	fdt_end_node(tree);
	fdt_end_node(tree);
}

static void put_devices(void *tree)
{
	fdt_begin_node(tree, "psci");
	fdt_property_string(tree, "compatible", "arm,psci-1.0");
	fdt_property_string(tree, "method", "hvc");
	fdt_end_node(tree);
	fdt_begin_node(tree, "intc@8000000");
	fdt_property_string(tree, "compatible", "arm,gic-v3");
	fdt_property_u32(tree, "#interrupt-cells", 3);
	fdt_property(tree, "interrupt-controller", NULL, 0);
	put_reg(tree, GICD_BASE, 0x10000, GICR_BASE, 0x20000);
	fdt_end_node(tree);
	fdt_begin_node(tree, "pl011@9000000");
	fdt_property_string(tree, "compatible", "arm,pl011");
	put_reg(tree, UART_BASE, 0x1000, 0, 0);
	fdt_end_node(tree);
}

bool tree_write(void *buffer, size_t size)
{
	if (fdt_create(buffer, (int)size) || fdt_finish_reservemap(buffer))
		return false;
	fdt_begin_node(buffer, "");
	fdt_property_u32(buffer, "#address-cells", 2);
	fdt_property_u32(buffer, "#size-cells", 2);
	fdt_begin_node(buffer, "memory@40000000");
	fdt_property_string(buffer, "device_type", "memory");
	put_reg(buffer, RAM_BASE, RAM_SIZE, 0, 0);
	fdt_end_node(buffer);
	put_cpu(buffer);
	put_devices(buffer);
	fdt_end_node(buffer);
	/* Whatever failed above, this does, too. */
	return fdt_finish(buffer) == 0;
}
