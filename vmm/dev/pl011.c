/* SPDX-License-Identifier: BSD-2-Clause */
/* PL011, the UART of Arm: see the header. */
#include "dev/pl011.h"

#include <assert.h>
#include <endian.h>
#include <errno.h>
#include <string.h>

#define DR 0x00
#define FR 0x18
#define RIS 0x3c
#define MIS 0x40
#define ICR 0x44
#define ID 0xfe0

#define FR_RXFE (1u << 4)
#define FR_RXFF (1u << 6)
#define FR_TXFE (1u << 7)

#define LCR_H_FEN (1u << 4)

#define INT_RX (1u << 4)
#define INT_TX (1u << 5)
#define INT_RT (1u << 6)

enum {
	ILPR,
	IBRD,
	FBRD,
	LCR_H,
	CR,
	IFLS,
	IMSC,
	DMACR
};

/* Starts like this: 8 bits, FIFOs on; UART, transmitter and receiver on; FIFO levels of one half. */
static const struct {
	uint32_t offset;
	uint32_t mask; /* bits that exist */
	uint32_t start;
} registers[PL011_REGISTERS] = {
	[ILPR] = { 0x20, 0xff, 0 },	[IBRD] = { 0x24, 0xffff, 0 },	[FBRD] = { 0x28, 0x3f, 0 },
	[LCR_H] = { 0x2c, 0xff, 0x70 }, [CR] = { 0x30, 0xff87, 0x301 }, [IFLS] = { 0x34, 0x3f, 0x12 },
	[IMSC] = { 0x38, 0x7ff, 0 },	[DMACR] = { 0x48, 0x7, 0 },
};

/* PeriphID: part 0x011 by Arm, revision 3, which is the one with 32 characters; CellID. */
static const uint8_t identification[] = { 0x11, 0x10, 0x34, 0x00, 0x0d, 0xf0, 0x05, 0xb1 };

static_assert(PL011_STATE_SIZE == PL011_FIFO_SIZE + 4 * (2 + PL011_REGISTERS), "the state as it is saved");

void pl011_init(struct pl011 *uart)
{
	*uart = (struct pl011){ 0 };
	for (unsigned int i = 0; i < PL011_REGISTERS; i++)
		uart->registers[i] = registers[i].start;
}

static uint32_t capacity_of(const struct pl011 *uart)
{
	return uart->registers[LCR_H] & LCR_H_FEN ? PL011_FIFO_SIZE : 1;
}

/* Received characters from which on RX is raised. */
static uint32_t trigger(const struct pl011 *uart)
{
	static const uint8_t levels[8] = { 4, 8, 16, 24, 28, 28, 28, 28 };

	return capacity_of(uart) == 1 ? 1 : levels[uart->registers[IFLS] >> 3];
}

bool pl011_irq(const struct pl011 *uart)
{
	return (uart->ris & uart->registers[IMSC]) != 0;
}

/* The receive timeout, 32 bit times in which nothing comes, has always passed already: there is no line to wait for. */
bool pl011_receive(struct pl011 *uart, uint8_t byte)
{
	if (uart->count == capacity_of(uart))
		return false;
	uart->fifo[(uart->head + uart->count++) % PL011_FIFO_SIZE] = byte;
	uart->ris |= INT_RT;
	if (uart->count >= trigger(uart))
		uart->ris |= INT_RX;
	return true;
}

static uint32_t read_data(struct pl011 *uart)
{
	uint8_t byte;

	if (uart->count == 0)
		return 0;
	byte = uart->fifo[uart->head];
	uart->head = (uart->head + 1) % PL011_FIFO_SIZE;
	uart->count--;
	uart->ris |= INT_RT;
	if (uart->count == 0)
		uart->ris &= ~INT_RT;
	if (uart->count < trigger(uart))
		uart->ris &= ~INT_RX;
	return byte;
}

static uint32_t flags(const struct pl011 *uart)
{
	uint32_t fr = FR_TXFE;

	if (uart->count == 0)
		fr |= FR_RXFE;
	if (uart->count == capacity_of(uart))
		fr |= FR_RXFF;
	return fr;
}

/* PL011_REGISTERS: not one of those. */
static unsigned int find(uint64_t offset)
{
	unsigned int i = 0;

	while (i < PL011_REGISTERS && registers[i].offset != offset)
		i++;
	return i;
}

static uint32_t read_plain(const struct pl011 *uart, uint64_t offset)
{
	unsigned int i = find(offset);

	if (i < PL011_REGISTERS)
		return uart->registers[i];
	if (offset >= ID && offset % 4 == 0 && (offset - ID) / 4 < sizeof(identification))
		return identification[(offset - ID) / 4];
	return 0;
}

static uint32_t read_register(struct pl011 *uart, uint64_t offset)
{
	switch (offset) {
	case DR:
		return read_data(uart);
	case FR:
		return flags(uart);
	case RIS:
		return uart->ris;
	case MIS:
		return uart->ris & uart->registers[IMSC];
	default:
		return read_plain(uart, offset);
	}
}

uint32_t pl011_read(struct pl011 *uart, uint64_t offset, struct pl011_action *action)
{
	uint32_t value = read_register(uart, offset);

	*action = (struct pl011_action){ .irq = pl011_irq(uart) };
	return value;
}

static void flush(struct pl011 *uart)
{
	uart->count = 0;
	uart->ris &= ~(INT_RX | INT_RT);
}

static void write_plain(struct pl011 *uart, uint64_t offset, uint32_t value)
{
	unsigned int i = find(offset);
	uint32_t before;

	if (i == PL011_REGISTERS)
		return;
	before = uart->registers[i];
	uart->registers[i] = value & registers[i].mask;
	if (i == LCR_H && (before ^ value) & LCR_H_FEN)
		flush(uart);
}

/* TX means that there is room again, which is at once; it is an event, as in the hardware, so ICR ends it. */
void pl011_write(struct pl011 *uart, uint64_t offset, uint32_t value, struct pl011_action *action)
{
	*action = (struct pl011_action){ .has_output = offset == DR, .output = (uint8_t)value };
	if (offset == DR)
		uart->ris |= INT_TX;
	else if (offset == ICR)
		uart->ris &= ~value;
	else
		write_plain(uart, offset, value);
	action->irq = pl011_irq(uart);
}

/* The FIFO from its head on, then zeroes; its count, the interrupts, the registers. */
size_t pl011_save(const struct pl011 *uart, void *state, size_t capacity)
{
	uint8_t *bytes = state;
	uint32_t words[2 + PL011_REGISTERS] = { htole32(uart->count), htole32(uart->ris) };

	assert(capacity >= PL011_STATE_SIZE);
	for (uint32_t i = 0; i < PL011_FIFO_SIZE; i++)
		bytes[i] = i < uart->count ? uart->fifo[(uart->head + i) % PL011_FIFO_SIZE] : 0;
	for (unsigned int i = 0; i < PL011_REGISTERS; i++)
		words[2 + i] = htole32(uart->registers[i]);
	memcpy(bytes + PL011_FIFO_SIZE, words, sizeof(words));
	return PL011_STATE_SIZE;
}

static bool is_possible(const struct pl011 *uart)
{
	for (unsigned int i = 0; i < PL011_REGISTERS; i++) {
		if (uart->registers[i] & ~registers[i].mask)
			return false;
	}
	if (uart->count > capacity_of(uart) || uart->ris & ~(INT_RX | INT_TX | INT_RT))
		return false;
	for (uint32_t i = uart->count; i < PL011_FIFO_SIZE; i++) {
		if (uart->fifo[i] != 0)
			return false;
	}
	return uart->count > 0 || !(uart->ris & (INT_RX | INT_RT));
}

int pl011_load(struct pl011 *uart, const void *state, size_t size)
{
	const uint8_t *bytes = state;
	uint32_t words[2 + PL011_REGISTERS];
	struct pl011 loaded = { 0 };

	if (size != PL011_STATE_SIZE)
		return -EINVAL;
	memcpy(loaded.fifo, bytes, PL011_FIFO_SIZE);
	memcpy(words, bytes + PL011_FIFO_SIZE, sizeof(words));
	loaded.count = le32toh(words[0]);
	loaded.ris = le32toh(words[1]);
	for (unsigned int i = 0; i < PL011_REGISTERS; i++)
		loaded.registers[i] = le32toh(words[2 + i]);
	if (!is_possible(&loaded))
		return -EINVAL;
	*uart = loaded;
	return 0;
}
