/* SPDX-License-Identifier: BSD-2-Clause */
/* Plans: their lists of writes, and that they are carried out and taken back whole or not at all. */
#include "unit.h"

#include "../../repair/writes.h"
#include "../fake/linux_ram.h"

#include <string.h>

#define START 0x40000000u
#define SIZE 0x10000u
#define COUNT 6u

static uint8_t memory[0x1000] __attribute__((aligned(8)));

struct fixture {
	struct linux_ram ram;
	struct sc_guest_port guest;
	struct sc_plan plan;
};

static const struct sc_write writes[COUNT] = {
	{ START + 0x1008, 0x1111111111111111, 0x2222222222222222, 8 },
	{ START + 0x10, 0x33, 0x44, 1 },
	{ START + 0x14, 0x55555555, 0x66666666, 4 },
	{ START + 0x12, 0x7777, 0x8888, 2 },
	{ START + 0xfff8, 9, 10, 8 },
	{ START + 0x2000, 5, 5, 4 },
};

static void begin(struct fixture *fixture, uint32_t max)
{
	struct sc_arena arena = { .memory = memory, .size = sizeof(memory) };
	struct sc_refusal why;

	linux_ram_begin(&fixture->ram, START, SIZE, 0);
	fixture->guest = linux_ram_guest(&fixture->ram);
	assert_int_equal(sc_writes_begin(&fixture->plan, max, &arena, &why), 0);
}

static void begin_full(struct fixture *fixture)
{
	struct sc_refusal why;

	begin(fixture, COUNT);
	for (uint32_t i = 0; i < COUNT; i++) {
		linux_ram_store(&fixture->ram, writes[i].address, writes[i].before, writes[i].size);
		assert_int_equal(sc_writes_add(&fixture->plan, &writes[i], &why), 0);
	}
}

static void end(struct fixture *fixture)
{
	linux_ram_end(&fixture->ram);
}

/* Nothing but the plan's places is ever anything but 0. */
static void all_is(struct fixture *fixture, bool after)
{
	uint8_t expected[SIZE] = { 0 };

	for (uint32_t i = 0; i < COUNT; i++)
		memcpy(expected + (writes[i].address - START), after ? &writes[i].after : &writes[i].before,
		       writes[i].size);
	assert_memory_equal(linux_ram_at(&fixture->ram, START, SIZE), expected, SIZE);
	assert_int_equal(fixture->ram.outside, 0);
}

static void writes_are_sorted(void **state)
{
	struct fixture fixture;

	(void)state;
	begin_full(&fixture);
	assert_int_equal(fixture.plan.write_count, COUNT);
	for (uint32_t i = 1; i < COUNT; i++)
		assert_true(fixture.plan.writes[i - 1].address < fixture.plan.writes[i].address);
	end(&fixture);
}

static void writes_that_are_refused(void **state)
{
	static const struct {
		struct sc_write write;
		enum sc_refusal_reason reason;
		const char *words;
	} cases[] = {
		{ { START + 0x1008, 1, 2, 8 }, SC_REFUSED_DAMAGED, "two values of the kernel's are at one place" },
		{ { START + 0x100c, 1, 2, 4 }, SC_REFUSED_DAMAGED, "two values of the kernel's are at one place" },
		{ { START + 0x10, 1, 2, 8 }, SC_REFUSED_DAMAGED, "two values of the kernel's are at one place" },
		{ { START + 0x1001, 1, 2, 2 }, SC_REFUSED_DAMAGED, "a value of the kernel's is not aligned" },
		{ { START + 0x3000, 1, 2, 4 }, SC_REFUSED_SPACE, "more than there is room for" },
	};
	struct fixture fixture;
	struct sc_refusal why;

	(void)state;
	begin_full(&fixture);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		assert_int_equal(sc_writes_add(&fixture.plan, &cases[i].write, &why), -(int)cases[i].reason);
		if (!strstr(why.text, cases[i].words))
			fail_msg("\"%s\" does not say \"%s\"", why.text, cases[i].words);
		assert_int_equal(fixture.plan.write_count, COUNT);
	}
	end(&fixture);
}

static void list_too_large(void **state)
{
	struct sc_arena arena = { .memory = memory, .size = sizeof(memory) };
	struct sc_plan plan;
	struct sc_refusal why;

	(void)state;
	assert_int_equal(sc_writes_begin(&plan, 1000, &arena, &why), -SC_REFUSED_SPACE);
}

static void done_and_taken_back(void **state)
{
	struct fixture fixture;
	struct sc_refusal why;

	(void)state;
	begin_full(&fixture);
	assert_int_equal(sc_plan_apply(&fixture.guest, &fixture.plan, &why), 0);
	all_is(&fixture, true);
	/* What is to stay is not stored. */
	assert_int_equal(fixture.ram.writes, COUNT - 1);
	assert_int_equal(sc_plan_revert(&fixture.guest, &fixture.plan, &why), 0);
	all_is(&fixture, false);
	end(&fixture);
}

/* Whichever value differs, also one that is to stay: nothing is stored, in either direction. */
static void differs(bool back)
{
	struct sc_refusal why;

	for (uint32_t i = 0; i < COUNT; i++) {
		uint8_t before[SIZE];
		struct fixture fixture;
		int err;

		begin_full(&fixture);
		if (back)
			assert_int_equal(sc_plan_apply(&fixture.guest, &fixture.plan, &why), 0);
		fixture.ram.writes = 0;
		linux_ram_at(&fixture.ram, writes[i].address, 1)[0] ^= 0x80;
		memcpy(before, linux_ram_at(&fixture.ram, START, SIZE), SIZE);
		err = back ? sc_plan_revert(&fixture.guest, &fixture.plan, &why)
			   : sc_plan_apply(&fixture.guest, &fixture.plan, &why);
		assert_int_equal(err, -SC_REFUSED_BUSY);
		assert_non_null(strstr(why.text, "has changed since the repair was planned"));
		assert_int_equal(fixture.ram.writes, 0);
		assert_memory_equal(linux_ram_at(&fixture.ram, START, SIZE), before, SIZE);
		end(&fixture);
	}
}

static void memory_that_differs(void **state)
{
	(void)state;
	differs(false);
	differs(true);
}

/* Taking back works again after the port has failed once. */
static bool fail_once(void *context, uint64_t address, const void *from, size_t size)
{
	struct linux_ram *ram = context;

	if (ram->writes++ == ram->writes_max)
		return false;
	memcpy(linux_ram_at(ram, address, size), from, size);
	return true;
}

static void store_that_fails(void **state)
{
	struct sc_refusal why;

	(void)state;
	for (uint32_t i = 0; i < COUNT - 1; i++) {
		struct fixture fixture;

		begin_full(&fixture);
		fixture.guest.write = fail_once;
		fixture.ram.writes_max = i;
		assert_int_equal(sc_plan_apply(&fixture.guest, &fixture.plan, &why), -SC_REFUSED_MEMORY);
		assert_non_null(strstr(why.text, "cannot be written"));
		all_is(&fixture, false);
		end(&fixture);
	}
}

static void outside_of_ram(void **state)
{
	static const struct sc_write outside = { START + SIZE, 0, 1, 8 };
	struct fixture fixture;
	struct sc_refusal why;

	(void)state;
	begin(&fixture, 1);
	assert_int_equal(sc_writes_add(&fixture.plan, &outside, &why), 0);
	assert_int_equal(sc_plan_apply(&fixture.guest, &fixture.plan, &why), -SC_REFUSED_MEMORY);
	assert_non_null(strstr(why.text, "is not RAM"));
	assert_int_equal(fixture.ram.outside, 0);
	end(&fixture);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(writes_are_sorted),   cmocka_unit_test(writes_that_are_refused),
		cmocka_unit_test(list_too_large),      cmocka_unit_test(done_and_taken_back),
		cmocka_unit_test(memory_that_differs), cmocka_unit_test(store_that_fails),
		cmocka_unit_test(outside_of_ram),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
