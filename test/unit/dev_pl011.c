/* SPDX-License-Identifier: BSD-2-Clause */
/* PL011: registers, FIFO and interrupts as the Technical Reference Manual and Linux's driver have them; saved states.
 */
#include "unit.h"
#include "../property/random.h"

#include "dev/pl011.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#define DR 0x00
#define FR 0x18
#define LCR_H 0x2c
#define IFLS 0x34
#define IMSC 0x38
#define RIS 0x3c
#define MIS 0x40
#define ICR 0x44

#define RXFE 0x10u
#define TXFF 0x20u
#define RXFF 0x40u
#define TXFE 0x80u

#define RX 0x10u
#define TX 0x20u
#define RT 0x40u

static struct pl011 uart;

static int setup(void **state)
{
	(void)state;
	pl011_init(&uart);
	return 0;
}

/* Every access says the level of the line, which is what the registers say. */
static uint32_t get(uint64_t offset)
{
	struct pl011_action action;
	uint32_t value = pl011_read(&uart, offset, &action);

	assert_false(action.has_output);
	assert_int_equal(action.irq, pl011_irq(&uart));
	return value;
}

static void put(uint64_t offset, uint32_t value)
{
	struct pl011_action action;

	pl011_write(&uart, offset, value, &action);
	assert_int_equal(action.has_output, offset == DR);
	assert_int_equal(action.irq, pl011_irq(&uart));
	assert_int_equal(pl011_irq(&uart), get(MIS) != 0);
}

static void receive(unsigned int count)
{
	for (unsigned int i = 0; i < count; i++)
		assert_true(pl011_receive(&uart, (uint8_t)i));
}

static void test_registers(void **state)
{
	static const struct {
		uint32_t offset;
		uint32_t start;
		uint32_t ones; /* after a write of ones */
	} registers[] = {
		{ 0x20, 0, 0xff },	 { 0x24, 0, 0xffff },  { 0x28, 0, 0x3f },     { 0x2c, 0x70, 0xff },
		{ 0x30, 0x301, 0xff87 }, { 0x34, 0x12, 0x3f }, { 0x38, 0, 0x7ff },    { 0x48, 0, 7 },
		{ 0x04, 0, 0 },		 { 0x08, 0, 0 },       { 0x3c, 0, 0 },	      { 0x40, 0, 0 },
		{ 0x44, 0, 0 },		 { 0x18, 0x90, 0x90 }, { 0xffc, 0xb1, 0xb1 }, { 0x1000, 0, 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(registers); i++) {
		assert_int_equal(get(registers[i].offset), registers[i].start);
		put(registers[i].offset, UINT32_MAX);
		assert_int_equal(get(registers[i].offset), registers[i].ones);
		put(registers[i].offset, 0);
	}
}

/* drivers/amba: part 041011, and revision 3 has 32 characters. */
static void test_identification(void **state)
{
	uint32_t part = 0, cell = 0;

	(void)state;
	for (unsigned int i = 0; i < 4; i++) {
		part |= get(0xfe0 + 4 * i) << (8 * i);
		cell |= get(0xff0 + 4 * i) << (8 * i);
	}
	assert_int_equal(part & 0xfffff, 0x41011);
	assert_int_equal(part >> 20 & 0xf, 3);
	assert_int_equal(cell, 0xb105f00d);
}

static void test_holes(void **state)
{
	(void)state;
	receive(2);
	for (uint64_t offset = 0; offset < 0x2000; offset++) {
		if (offset % 4 == 0 && (offset < 0x4c || (offset >= 0xfe0 && offset < 0x1000)))
			continue;
		assert_int_equal(get(offset), 0);
		put(offset, UINT32_MAX);
	}
	assert_int_equal(get(UINT64_MAX), 0);
	assert_int_equal(uart.count, 2);
}

/* earlycon and every driver: wait until FR lets them, write DR. */
static void test_output(void **state)
{
	struct pl011_action action;

	(void)state;
	put(0x30, 0); /* even if nobody enabled the UART */
	assert_int_equal(get(FR) & (TXFF | TXFE), TXFE);
	pl011_write(&uart, DR, 0xffffff41, &action);
	assert_true(action.has_output);
	assert_int_equal(action.output, 'A');
	assert_false(action.irq);
	assert_int_equal(get(FR) & (TXFF | TXFE), TXFE);
}

/* Linux writes until nothing is left, TXIM or not; the rest goes out by interrupts, which it ends by masking. */
static void test_transmit_interrupt(void **state)
{
	(void)state;
	put(IMSC, TX);
	assert_false(pl011_irq(&uart));
	put(DR, 'a');
	assert_true(pl011_irq(&uart));
	assert_int_equal(get(MIS), TX);
	put(IMSC, 0);
	assert_false(pl011_irq(&uart));
	assert_int_equal(get(RIS), TX);
	put(IMSC, TX);
	assert_true(pl011_irq(&uart));
	put(ICR, TX);
	assert_false(pl011_irq(&uart));
	put(DR, 'b');
	assert_true(pl011_irq(&uart));
}

static void test_fifo(void **state)
{
	(void)state;
	for (unsigned int round = 0; round < 5; round++) {
		receive(PL011_FIFO_SIZE);
		assert_int_equal(get(FR) & (RXFE | RXFF), RXFF);
		assert_false(pl011_receive(&uart, 0xee));
		for (unsigned int i = 0; i < 19; i++)
			assert_int_equal(get(DR), i);
		assert_int_equal(get(FR) & (RXFE | RXFF), 0);
		for (unsigned int i = 19; i < PL011_FIFO_SIZE; i++)
			assert_int_equal(get(DR), i);
		assert_int_equal(get(FR) & (RXFE | RXFF), RXFE);
		assert_int_equal(get(DR), 0);
	}
}

static void test_one_character_without_fifos(void **state)
{
	(void)state;
	receive(3);
	put(LCR_H, 0x60);
	assert_int_equal(get(FR) & RXFE, RXFE);
	assert_int_equal(get(RIS), 0);
	receive(1);
	assert_int_equal(get(RIS) & RX, RX);
	assert_int_equal(get(FR) & RXFF, RXFF);
	assert_false(pl011_receive(&uart, 1));
	put(LCR_H, 0x63);
	assert_int_equal(uart.count, 1);
}

static void test_receive_levels(void **state)
{
	static const uint8_t levels[8] = { 4, 8, 16, 24, 28, 28, 28, 28 };

	(void)state;
	for (uint32_t i = 0; i < 8; i++) {
		pl011_init(&uart);
		put(IFLS, i << 3);
		receive(levels[i] - 1u);
		assert_int_equal(get(RIS), RT);
		receive(1);
		assert_int_equal(get(RIS), RT | RX);
		get(DR);
		assert_int_equal(get(RIS), RT);
	}
}

static void test_receive_interrupt(void **state)
{
	(void)state;
	put(IMSC, RX | RT);
	receive(1);
	assert_true(pl011_irq(&uart));
	put(ICR, RX | RT); /* a guest that does not read is not asked again ... */
	assert_false(pl011_irq(&uart));
	receive(1); /* ... until there is more, ... */
	assert_true(pl011_irq(&uart));
	put(ICR, RX | RT);
	get(DR); /* ... or it reads and leaves something */
	assert_true(pl011_irq(&uart));
	get(DR);
	assert_false(pl011_irq(&uart));
}

/* What a Linux driver does when the port is opened: clear, drain, unmask. Nothing is lost if something comes between.
 */
static void test_open_race(void **state)
{
	(void)state;
	receive(5);
	put(ICR, RT | RX);
	receive(1);
	while (!(get(FR) & RXFE))
		get(DR);
	put(IMSC, RT | RX);
	assert_false(pl011_irq(&uart));
	receive(1);
	assert_true(pl011_irq(&uart));
}

static void test_save_and_load(void **state)
{
	uint8_t before[PL011_STATE_SIZE], after[PL011_STATE_SIZE];

	(void)state;
	receive(30);
	for (unsigned int i = 0; i < 20; i++)
		get(DR);
	receive(15);
	put(IMSC, RX);
	put(0x24, 0x1234);
	assert_int_equal(pl011_save(&uart, before, sizeof(before)), PL011_STATE_SIZE);
	pl011_init(&uart);
	assert_int_equal(pl011_load(&uart, before, sizeof(before)), 0);
	pl011_save(&uart, after, sizeof(after));
	assert_memory_equal(before, after, sizeof(before));
	assert_true(pl011_irq(&uart));
	assert_int_equal(get(0x24), 0x1234);
	for (unsigned int i = 0; i < 25; i++)
		assert_int_equal(get(DR), i < 10 ? 20 + i : i - 10);
	assert_false(pl011_irq(&uart));
}

/* The layout is part of the migration format. */
static void test_saved_bytes(void **state)
{
	static const uint8_t expected[PL011_STATE_SIZE] = {
		[0] = 'x', [32] = 1, [36] = RT, [48] = 0, [52] = 0x70, [56] = 1, [57] = 0x03, [60] = 0x12, [64] = 0x50,
	};
	uint8_t bytes[PL011_STATE_SIZE];

	(void)state;
	pl011_receive(&uart, 'w');
	get(DR);
	pl011_receive(&uart, 'x');
	put(IMSC, RX | RT);
	pl011_save(&uart, bytes, sizeof(bytes));
	assert_memory_equal(bytes, expected, sizeof(bytes));
}

static void test_refused_states(void **state)
{
	static const struct {
		size_t offset;
		uint8_t value;
	} changes[] = {
		{ 32, 33 },   { 35, 1 }, { 32, 0xff }, /* counts */
		{ 36, 0x01 }, { 37, 1 }, { 36, RX },   /* interrupts that there are not, or without a character */
		{ 0, 1 },     { 31, 1 },	       /* characters beyond the count */
		{ 41, 1 },    { 46, 1 }, { 48, 0x40 }, { 53, 1 }, { 56, 0x08 }, { 60, 0x40 }, { 65, 8 }, { 68, 8 },
	};
	uint8_t good[PL011_STATE_SIZE], bad[PL011_STATE_SIZE + 1] = { 0 };
	struct pl011 before;

	(void)state;
	pl011_save(&uart, good, sizeof(good));
	before = uart;
	for (size_t i = 0; i < ARRAY_SIZE(changes); i++) {
		memcpy(bad, good, sizeof(good));
		bad[changes[i].offset] = changes[i].value;
		assert_int_equal(pl011_load(&uart, bad, sizeof(good)), -EINVAL);
	}
	memcpy(bad, good, sizeof(good));
	assert_int_equal(pl011_load(&uart, bad, sizeof(bad)), -EINVAL);
	assert_int_equal(pl011_load(&uart, bad, sizeof(good) - 1), -EINVAL);
	assert_int_equal(pl011_load(&uart, NULL, 0), -EINVAL);
	assert_memory_equal(&uart, &before, sizeof(uart));
}

/* Two characters cannot wait where there is room for one. */
static void test_refused_count_without_fifos(void **state)
{
	uint8_t bytes[PL011_STATE_SIZE];

	(void)state;
	receive(2);
	pl011_save(&uart, bytes, sizeof(bytes));
	bytes[52] = 0x60;
	assert_int_equal(pl011_load(&uart, bytes, sizeof(bytes)), -EINVAL);
}

/* Whatever a guest does, the state can be saved and loaded, and behaves the same afterwards. */
static void test_any_accesses(void **state)
{
	struct random random = random_start();
	uint8_t bytes[PL011_STATE_SIZE], again[PL011_STATE_SIZE];
	struct pl011 copy;

	(void)state;
	for (int i = 0; i < 20000; i++) {
		uint64_t offset = random_between(&random, 0, 19) * 4;

		if (random_chance(&random, 2))
			pl011_receive(&uart, (uint8_t)random_next(&random));
		if (!random_chance(&random, 8))
			get(offset);
		else
			put(offset, (uint32_t)random_next(&random));
		pl011_save(&uart, bytes, sizeof(bytes));
		assert_int_equal(pl011_load(&copy, bytes, sizeof(bytes)), 0);
		pl011_save(&copy, again, sizeof(again));
		assert_memory_equal(bytes, again, sizeof(bytes));
		if (random_chance(&random, 4))
			uart = copy;
	}
}

#define TEST(name) cmocka_unit_test_setup(name, setup)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_registers),
		TEST(test_identification),
		TEST(test_holes),
		TEST(test_output),
		TEST(test_transmit_interrupt),
		TEST(test_fifo),
		TEST(test_one_character_without_fifos),
		TEST(test_receive_levels),
		TEST(test_receive_interrupt),
		TEST(test_open_race),
		TEST(test_save_and_load),
		TEST(test_saved_bytes),
		TEST(test_refused_states),
		TEST(test_refused_count_without_fifos),
		TEST(test_any_accesses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
