/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Kernel addresses are translated as the architecture does it, for every granule and size that Linux has: pages,
 * blocks, addresses of 52 bits; and what the architecture would call a fault is refused.
 *
 * No kernel of Debian's has granules of 64 KiB: those are tried by these tables alone.
 */
#include "unit.h"

#include "../../repair/space.h"
#include "../fake/linux_ram.h"

#include <string.h>

#define RAM 0x40000000u
#define RAM_SIZE (4u << 20)
#define HIGH (1ull << 51 | 1ull << 50 | 1ull << 48 | 0x200000)
#define FIRST (RAM + 0x100000)

static const struct linux_shape shapes[] = {
	{ 12, 39, false }, { 12, 48, false }, { 12, 48, true }, { 12, 52, true }, { 14, 36, false },
	{ 14, 47, false }, { 14, 48, false }, { 14, 48, true }, { 14, 52, true }, { 16, 42, false },
	{ 16, 48, false }, { 16, 48, true },  { 16, 52, true },
};

struct fixture {
	struct linux_ram ram;
	struct linux_tables tables;
	struct sc_guest_port guest;
	struct sc_space space;
	struct sc_refusal why;
};

/* The lowest kernel address of a shape, and something in it. */
static uint64_t va_of(const struct linux_shape *shape, uint64_t offset)
{
	return ~0ull << shape->va_bits | (offset & ~(~0ull << shape->va_bits));
}

static void begin_at(struct fixture *fixture, const struct linux_shape *shape, uint64_t first)
{
	linux_ram_begin(&fixture->ram, RAM, RAM_SIZE, HIGH);
	linux_tables_begin(&fixture->tables, &fixture->ram, shape, first);
	fixture->guest = linux_ram_guest(&fixture->ram);
	assert_int_equal(sc_space_open(&fixture->space, &fixture->guest, &fixture->ram.tables, &fixture->why), 0);
}

static void end(struct fixture *fixture)
{
	assert_int_equal(fixture->ram.outside, 0);
	linux_ram_end(&fixture->ram);
}

static void leads_to(struct fixture *fixture, uint64_t va, uint64_t pa, uint64_t left)
{
	uint64_t found, rest;

	if (sc_space_translate(&fixture->space, va, &found, &rest, &fixture->why))
		fail_msg("%s", fixture->why.text);
	assert_int_equal(found, pa);
	assert_int_equal(rest, left);
}

static void refused(struct fixture *fixture, uint64_t va, const char *words)
{
	uint8_t byte;

	assert_int_equal(sc_space_read(&fixture->space, va, &byte, 1, &fixture->why), -SC_REFUSED_MEMORY);
	assert_int_equal(fixture->why.reason, SC_REFUSED_MEMORY);
	if (!strstr(fixture->why.text, words))
		fail_msg("\"%s\" does not say \"%s\"", fixture->why.text, words);
}

static void pages_of_every_shape(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(shapes); i++) {
		const struct linux_shape *shape = &shapes[i];
		uint64_t page = 1ull << shape->granule_bits, low = va_of(shape, 0), high = 0 - page;
		uint64_t middle = va_of(shape, 0xabcdef9876543ull & ~(page - 1));
		struct fixture fixture;

		begin_at(&fixture, shape, FIRST);
		linux_tables_map(&fixture.tables, low, RAM, 3);
		linux_tables_map(&fixture.tables, middle, RAM + page, 3);
		linux_tables_map(&fixture.tables, high, RAM + 2 * page, 3);
		leads_to(&fixture, low, RAM, page);
		leads_to(&fixture, low + 17, RAM + 17, page - 17);
		leads_to(&fixture, middle + 1, RAM + page + 1, page - 1);
		leads_to(&fixture, high + page - 1, RAM + 3 * page - 1, 1);
		refused(&fixture, low + page, "is not mapped");
		refused(&fixture, low - 1, "is not a kernel address");
		refused(&fixture, 0, "is not a kernel address");
		end(&fixture);
	}
}

static void blocks_of_every_shape(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(shapes); i++) {
		const struct linux_shape *shape = &shapes[i];
		int first = (shape->granule_bits == 12 ? 1 : 2) - (shape->wide ? 1 : 0);

		for (int level = first; level < 3; level++) {
			uint64_t size = linux_leaf_size(shape, level), va = va_of(shape, 0);
			struct fixture fixture;

			if (size > 1ull << (shape->va_bits - 1))
				continue;
			begin_at(&fixture, shape, FIRST);
			linux_tables_map(&fixture.tables, va, 0, level);
			leads_to(&fixture, va + (RAM & (size - 1)) + 5, (RAM & (size - 1)) + 5,
				 size - (RAM & (size - 1)) - 5);
			end(&fixture);
		}
	}
}

/* One level before blocks exist, a descriptor of a block is a fault. */
static void blocks_that_cannot_be(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(shapes); i++) {
		const struct linux_shape *shape = &shapes[i];
		int level = (shape->granule_bits == 12 ? 0 : 1) - (shape->wide ? 1 : 0);
		struct fixture fixture;

		if (level < -1 || (level == -1 && (shape->granule_bits != 12 || shape->va_bits < 52)) ||
		    (level == 0 && shape->granule_bits == 16) ||
		    linux_leaf_size(shape, level) > 1ull << (shape->va_bits - 1))
			continue;
		begin_at(&fixture, shape, FIRST);
		linux_tables_map(&fixture.tables, va_of(shape, 0), 0, level);
		refused(&fixture, va_of(shape, 0), "is not mapped");
		end(&fixture);
	}
}

static void addresses_of_52_bits(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(shapes); i++) {
		const struct linux_shape *shape = &shapes[i];
		uint64_t va = va_of(shape, 0x7000000), page = 1ull << shape->granule_bits;
		struct fixture fixture;
		uint8_t bytes[4];

		if (!shape->wide)
			continue;
		/* The tables, too, lie beyond 48 bits. */
		begin_at(&fixture, shape, HIGH);
		linux_tables_map(&fixture.tables, va, HIGH + 0xf0000, 3);
		leads_to(&fixture, va, HIGH + 0xf0000, page);
		linux_ram_store(&fixture.ram, HIGH + 0xf0000 + 8, 0x1234abcd, 4);
		assert_int_equal(sc_space_read(&fixture.space, va + 8, bytes, 4, &fixture.why), 0);
		assert_memory_equal(bytes, "\xcd\xab\x34\x12", 4);
		end(&fixture);
	}
}

/* With 52-bit kernels on processors of 48 bits, TTBR1 points into the table (64 KiB: at 0x1e00). */
static void first_table_within_a_page(void **state)
{
	const struct linux_shape shape = { 16, 48, false };
	struct fixture fixture;

	(void)state;
	begin_at(&fixture, &shape, FIRST + 0x1e00);
	assert_int_equal(fixture.space.table, FIRST + 0x1e00);
	end(&fixture);
}

static void reads_across_pages(void **state)
{
	const struct linux_shape shape = { 12, 48, false };
	uint64_t va = va_of(&shape, 0x10000);
	struct fixture fixture;
	uint8_t bytes[0x1800];

	(void)state;
	begin_at(&fixture, &shape, FIRST);
	linux_tables_map(&fixture.tables, va, RAM + 0x5000, 3);
	linux_tables_map(&fixture.tables, va + 0x1000, RAM + 0x2000, 3);
	linux_ram_store(&fixture.ram, RAM + 0x5fff, 0x11, 1);
	linux_ram_store(&fixture.ram, RAM + 0x2000, 0x22, 1);
	assert_int_equal(sc_space_read(&fixture.space, va + 0x800, bytes, sizeof(bytes), &fixture.why), 0);
	assert_int_equal(bytes[0x7ff], 0x11);
	assert_int_equal(bytes[0x800], 0x22);
	assert_int_equal(sc_space_read(&fixture.space, va + 0x801, bytes, sizeof(bytes), &fixture.why),
			 -SC_REFUSED_MEMORY);
	end(&fixture);
}

static void tables_that_are_not_ram(void **state)
{
	const struct linux_shape shape = { 12, 48, false };
	uint64_t va = va_of(&shape, 0);
	struct fixture fixture;
	uint64_t slot;

	(void)state;
	begin_at(&fixture, &shape, FIRST);
	slot = linux_tables_map(&fixture.tables, va, 0x9000000, 3);
	refused(&fixture, va, "address 0x9000000 is not RAM");
	linux_ram_store(&fixture.ram, FIRST, 0x8000003, 8);
	fixture.space.leaf_size = 0;
	refused(&fixture, va, "address 0x8000000 is not RAM");
	/* A page's descriptor that is no page's. */
	linux_ram_store(&fixture.ram, FIRST, (FIRST + 0x1000) | 3, 8);
	linux_ram_store(&fixture.ram, slot, RAM | 1, 8);
	refused(&fixture, va, "is not mapped");
	end(&fixture);
}

/* Tables that point to themselves end at the last level, which takes the table for a page. */
static void tables_in_a_circle(void **state)
{
	const struct linux_shape shape = { 12, 52, true };
	uint64_t va = va_of(&shape, 0);
	struct fixture fixture;

	(void)state;
	begin_at(&fixture, &shape, FIRST);
	linux_ram_store(&fixture.ram, FIRST, FIRST | 3, 8);
	leads_to(&fixture, va + 8, FIRST + 8, 0x1000 - 8);
	assert_int_equal(fixture.ram.read, 5 * 8);
	end(&fixture);
}

static void output_beyond_the_size(void **state)
{
	const struct linux_shape shape = { 12, 48, false };
	uint64_t va = va_of(&shape, 0);
	struct fixture fixture;

	(void)state;
	begin_at(&fixture, &shape, FIRST);
	linux_tables_map(&fixture.tables, va, 1ull << 40, 3);
	fixture.ram.tables.tcr &= ~(7ull << 32); /* 32 bits */
	assert_int_equal(sc_space_open(&fixture.space, &fixture.guest, &fixture.ram.tables, &fixture.why), 0);
	refused(&fixture, va, "leads beyond the physical addresses");
	end(&fixture);
}

static void first_table_beyond_the_size(void **state)
{
	const struct linux_shape shape = { 12, 48, false };
	struct fixture fixture;

	(void)state;
	begin_at(&fixture, &shape, FIRST);
	fixture.ram.tables.tcr &= ~(7ull << 32); /* 32 bits */
	fixture.ram.tables.ttbr1 |= 1ull << 33;
	assert_int_equal(sc_space_open(&fixture.space, &fixture.guest, &fixture.ram.tables, &fixture.why),
			 -SC_REFUSED_UNKNOWN);
	assert_non_null(strstr(fixture.why.text, "TTBR1_EL1 leads beyond"));
	end(&fixture);
}

static void registers_that_cannot_be(void **state)
{
	static const struct {
		uint64_t set, clear, sctlr;
		const char *words;
	} cases[] = {
		{ 0, 0, 0, "translates no kernel addresses" },
		{ 0, 0, 1 | 1u << 25, "is big-endian" },
		{ 1u << 23, 0, 1, "translates no kernel addresses" },
		{ 0, 3ull << 30, 1, "reserved value" },
		{ 7ull << 32, 0, 1, "reserved value" },
		{ 12u << 16, 0x3fu << 16, 1, "less or more bits" },
		{ 0x3fu << 16, 0, 1, "less or more bits" },
		{ 0, 0x3fu << 16, 1, "less or more bits" },
	};
	const struct linux_shape shape = { 12, 48, false };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct sc_vcpu_tables tables;
		struct fixture fixture;

		begin_at(&fixture, &shape, FIRST);
		tables = fixture.ram.tables;
		tables.tcr = (tables.tcr & ~cases[i].clear) | cases[i].set;
		tables.sctlr = cases[i].sctlr;
		assert_int_equal(sc_space_open(&fixture.space, &fixture.guest, &tables, &fixture.why),
				 -SC_REFUSED_UNKNOWN);
		if (!strstr(fixture.why.text, cases[i].words))
			fail_msg("\"%s\" does not say \"%s\"", fixture.why.text, cases[i].words);
		end(&fixture);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pages_of_every_shape),	       cmocka_unit_test(blocks_of_every_shape),
		cmocka_unit_test(blocks_that_cannot_be),       cmocka_unit_test(addresses_of_52_bits),
		cmocka_unit_test(first_table_within_a_page),   cmocka_unit_test(reads_across_pages),
		cmocka_unit_test(tables_that_are_not_ram),     cmocka_unit_test(tables_in_a_circle),
		cmocka_unit_test(output_beyond_the_size),      cmocka_unit_test(registers_that_cannot_be),
		cmocka_unit_test(first_table_beyond_the_size),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
