/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * PL011, the UART of Arm: the guest's console.
 *
 * Policy: a pure state machine, whose caller moves the characters and drives the interrupt line and holds the lock. The
 * transmitter is always ready, whatever CR says. Line settings are kept and mean nothing. It starts as firmware would
 * leave it, since Linux's driver for ARMH0011 sets nothing up. Source: PrimeCell UART (PL011) Technical Reference
 * Manual, Arm DDI 0183, r1p5.
 */
#ifndef VMM_DEV_PL011_H
#define VMM_DEV_PL011_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PL011_FIFO_SIZE 32u
#define PL011_REGISTERS 8u
#define PL011_STATE_SIZE 72u

struct pl011 {
	uint8_t fifo[PL011_FIFO_SIZE]; /* received and not yet read: a ring, `count` bytes from `head` on */
	uint32_t head;
	uint32_t count;
	uint32_t ris;			     /* raw interrupt status */
	uint32_t registers[PL011_REGISTERS]; /* those that only keep what is written */
};

/* What the caller does after an access. */
struct pl011_action {
	bool irq;	 /* level of the interrupt line */
	bool has_output; /* put this character out */
	uint8_t output;
};

void pl011_init(struct pl011 *uart);

/*
 * Accesses to the register at `offset` of the region, LAYOUT_UART_SIZE bytes. What is not a register reads as 0 and
 * ignores writes.
 */
uint32_t pl011_read(struct pl011 *uart, uint64_t offset, struct pl011_action *action);
void pl011_write(struct pl011 *uart, uint64_t offset, uint32_t value, struct pl011_action *action);

/* A character from outside, after which the line may have changed; false: no room until the guest has read. */
bool pl011_receive(struct pl011 *uart, uint8_t byte);

/* Level of the interrupt line. */
bool pl011_irq(const struct pl011 *uart);

/* The whole state as little-endian bytes, part of the migration format: PL011_STATE_SIZE, which `capacity` covers. */
size_t pl011_save(const struct pl011 *uart, void *state, size_t capacity);

/* -EINVAL, with *uart as it was, if the bytes are not a state that pl011_save() can have written. */
int pl011_load(struct pl011 *uart, const void *state, size_t size);

#endif
