/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The machine of the example monitor, and the device tree that describes it to the guest.
 *
 * Policy: one processor, a GICv3, a PL011 that only writes, PSCI by HVC; nothing here is about time.
 */
#ifndef EXAMPLE_TREE_H
#define EXAMPLE_TREE_H

#include <stdbool.h>
#include <stddef.h>

#define GICD_BASE 0x08000000ull
#define GICR_BASE 0x080a0000ull
#define UART_BASE 0x09000000ull
#define RAM_BASE 0x40000000ull
#define RAM_SIZE (64ull << 20)

/* Writes the tree to `buffer`; false if it does not fit. */
bool tree_write(void *buffer, size_t size);

#endif
