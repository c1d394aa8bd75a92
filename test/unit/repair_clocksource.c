/* SPDX-License-Identifier: BSD-2-Clause */
/* The clocksource of a kernel: its name is found behind two pointers, and what is no name, or lies nowhere, refused. */
#include "unit.h"

#include "../../repair/space.h"
#include "../fake/linux_ram.h"

#include <string.h>

#define RAM 0x40000000u
#define RAM_SIZE (4u << 20)
#define TABLES (RAM + 0x100000)
#define DATA (RAM + 0x200000)
#define PAGE 4096u
#define VA 0xffff000000000000u /* of the page DATA; the next one is not mapped */
#define CORE 0x100u
#define SOURCE 0x800u

static struct linux_ram ram;
static struct sc_guest_port guest;
static struct sc_kernel kernel;
static struct sc_refusal why;
static char name[SC_CLOCKSOURCE_TEXT_MAX];

static int set_up(void **state)
{
	static const struct linux_shape shape = { 12, 48, false };
	struct linux_tables tables;

	(void)state;
	linux_ram_begin(&ram, RAM, RAM_SIZE, 0);
	linux_tables_begin(&tables, &ram, &shape, TABLES);
	linux_tables_map(&tables, VA, DATA, 3);
	guest = linux_ram_guest(&ram);
	kernel = (struct sc_kernel){ .address[SC_VAR_CORE] = VA + CORE };
	assert_int_equal(sc_space_open(&kernel.space, &guest, &ram.tables, &why), 0);
	kernel.layout.field[SC_CORE_TIMEKEEPER].offset = 8;
	kernel.layout.field[SC_TK_MONO].offset = 16;
	kernel.layout.field[SC_READ_BASE_CLOCK].offset = 32;
	kernel.layout.field[SC_CLOCKSOURCE_NAME].offset = 64;
	linux_ram_store(&ram, DATA + CORE + 8 + 16 + 32, VA + SOURCE, 8);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	assert_int_equal(ram.outside, 0);
	linux_ram_end(&ram);
	return 0;
}

/* Puts a name there, which ends at the end of the page, and has the clocksource lead to it. */
static void put(const char *text, size_t size)
{
	linux_ram_store(&ram, DATA + SOURCE + 64, VA + PAGE - size, 8);
	memcpy(linux_ram_at(&ram, DATA + PAGE - size, size), text, size);
}

static void refused(enum sc_refusal_reason reason, const char *words)
{
	assert_int_equal(sc_kernel_clocksource(&kernel, name, &why), -(int)reason);
	if (!strstr(why.text, words))
		fail_msg("\"%s\" does not say \"%s\"", why.text, words);
	assert_string_equal(name, "");
}

static void test_names(void **state)
{
	static const char *const names[] = { "x", "arch_sys_counter", "1234567890123456789012345678901" };

	(void)state;
	for (size_t n = 0; n < ARRAY_SIZE(names); n++) {
		put(names[n], strlen(names[n]) + 1);
		assert_int_equal(sc_kernel_clocksource(&kernel, name, &why), 0);
		assert_string_equal(name, names[n]);
	}
}

static void test_no_names(void **state)
{
	static const char *const names[] = { "", "two words", "b\nd", "b\xe4h", "12345678901234567890123456789012" };

	(void)state;
	for (size_t n = 0; n < ARRAY_SIZE(names); n++) {
		put(names[n], strlen(names[n]) + 1);
		refused(SC_REFUSED_DAMAGED, "the kernel's clocksource has a name that is not text");
	}
	put("no_end", 6);
	refused(SC_REFUSED_MEMORY, "is not mapped");
}

static void test_nowhere(void **state)
{
	(void)state;
	linux_ram_store(&ram, DATA + SOURCE + 64, VA + PAGE, 8);
	refused(SC_REFUSED_MEMORY, "kernel address 0xffff000000001000 is not mapped");
	linux_ram_store(&ram, DATA + CORE + 8 + 16 + 32, 0, 8);
	refused(SC_REFUSED_MEMORY, "0x40 is not a kernel address");
	kernel.address[SC_VAR_CORE] = UINT64_MAX - 7;
	refused(SC_REFUSED_MEMORY, "is not");
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = { TEST(test_names), TEST(test_no_names), TEST(test_nowhere) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
