/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A kernel is found and judged: each thing that is wrong with it is refused in one clause that names it, before
 * anything that depends on it is looked at. The kernel here is a made-up one; repair_image.c has a real one.
 */
#include "unit.h"

#include "../../repair/builds.h"
#include "../../repair/series.h"
#include "../fake/linux_kernel.h"

#include <stdlib.h>
#include <string.h>

#define ARENA 200000u

static const struct linux_shape shape_4k = { 12, 48, false };

struct fixture {
	struct linux_kernel kernel;
	struct sc_arena arena;
};

static struct fixture *begin(const struct linux_shape *shape, const char *release)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));

	assert_non_null(fixture);
	fixture->arena = (struct sc_arena){ .memory = malloc(ARENA), .size = ARENA };
	assert_non_null(fixture->arena.memory);
	linux_kernel_begin(&fixture->kernel, shape, release);
	return fixture;
}

static void end(struct fixture *fixture)
{
	linux_kernel_end(&fixture->kernel);
	free(fixture->arena.memory);
	free(fixture);
}

/* What is in RAM is refused so. */
static void refused(struct fixture *fixture, enum sc_refusal_reason reason, const char *words)
{
	struct sc_guest_port guest = linux_ram_guest(&fixture->kernel.ram);
	struct sc_kernel kernel;
	struct sc_refusal why;
	const uint8_t nothing[sizeof(kernel)] = { 0 };

	fixture->arena.used = 0;
	assert_int_equal(sc_kernel_find(&guest, &fixture->arena, &kernel, &why), -(int)reason);
	if (!strstr(why.text, words))
		fail_msg("\"%s\" does not say \"%s\"", why.text, words);
	assert_int_equal(why.reason, reason);
	assert_memory_equal(&kernel, nothing, sizeof(kernel));
	assert_int_equal(fixture->kernel.ram.outside, 0);
}

static void write_and_refuse(struct fixture *fixture, enum sc_refusal_reason reason, const char *words)
{
	linux_kernel_write(&fixture->kernel);
	refused(fixture, reason, words);
	end(fixture);
}

/* The last thing that is judged is the layout: everything before was found. */
#define AS_FAR_AS_THE_LAYOUT SC_REFUSED_UNKNOWN, "the layout of this kernel's timekeeping is not known (fingerprint "

static void every_shape(void **state)
{
	static const struct linux_shape shapes[] = {
		{ 12, 39, false }, { 12, 48, false }, { 12, 48, true }, { 12, 52, true },
		{ 14, 47, false }, { 14, 48, false }, { 14, 52, true }, { 16, 42, false },
		{ 16, 48, false }, { 16, 48, true },  { 16, 52, true },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(shapes); i++)
		write_and_refuse(begin(&shapes[i], "6.12.117+deb12-cloud-arm64"), AS_FAR_AS_THE_LAYOUT);
}

static void every_encoding(void **state)
{
	(void)state;
	write_and_refuse(begin(&shape_4k, "6.12.3"), AS_FAR_AS_THE_LAYOUT);
	write_and_refuse(begin(&shape_4k, "7.3.4+deb13-cloud-arm64"), AS_FAR_AS_THE_LAYOUT);
}

static void no_kernel(void **state)
{
	struct fixture *fixture = begin(&shape_4k, "6.12.3");

	(void)state;
	refused(fixture, SC_REFUSED_ABSENT, "guest memory has no VMCOREINFO note");
	end(fixture);
}

static void note_of_another_kernel(void **state)
{
	struct fixture *fixture = begin(&shape_4k, "6.12.3");

	(void)state;
	linux_kernel_write(&fixture->kernel);
	fixture->kernel.note.swapper_pg_dir += 0x200000;
	linux_note_write(&fixture->kernel.ram, LINUX_NOTE, &fixture->kernel.note);
	refused(fixture, SC_REFUSED_ABSENT, "no VMCOREINFO note is that of the kernel that the vCPUs run");
	end(fixture);
}

/*
 * A stale note beside the right one, before it or behind it, is passed over: of a kernel that lay elsewhere, of the
 * same one that lay at the same place at other addresses, and of one that nothing tells from it.
 */
static void stale_note(void **state)
{
	static const struct {
		uint64_t addresses, voffset;
	} moved[] = {
		{ 0, 0x200000 },
		{ 0x200000, 0x200000 },
		{ 0x1000, 0x1000 },
		{ 0, 0 },
	};
	static const uint64_t places[] = { LINUX_NOTE - 0x1000, LINUX_NOTE + 0x5000 };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(moved) * ARRAY_SIZE(places); i++) {
		struct fixture *fixture = begin(&shape_4k, "6.12.3");
		struct note stale;

		linux_kernel_write(&fixture->kernel);
		stale = fixture->kernel.note;
		stale.swapper_pg_dir += moved[i / 2].addresses;
		stale.stext += moved[i / 2].addresses;
		stale.kimage_voffset += moved[i / 2].voffset;
		linux_note_write(&fixture->kernel.ram, places[i % 2], &stale);
		refused(fixture, AS_FAR_AS_THE_LAYOUT);
		end(fixture);
	}
}

/* Notes that all fit what the vCPUs run, and say different things. */
static void several_notes(void **state)
{
	struct fixture *fixture = begin(&shape_4k, "6.12.3");
	struct note other;

	(void)state;
	linux_kernel_write(&fixture->kernel);
	other = fixture->kernel.note;
	other.kallsyms_offsets += 4;
	linux_note_write(&fixture->kernel.ram, LINUX_NOTE + 0x5000, &other);
	refused(fixture, SC_REFUSED_DAMAGED, "several VMCOREINFO notes claim to be of the running kernel");
	other = fixture->kernel.note;
	other.release[0] = '7';
	linux_note_write(&fixture->kernel.ram, LINUX_NOTE + 0x5000, &other);
	refused(fixture, SC_REFUSED_DAMAGED, "several VMCOREINFO notes claim to be of the running kernel");
	end(fixture);
}

static void memory_full_of_notes(void **state)
{
	struct fixture *fixture = begin(&shape_4k, "6.12.3");

	(void)state;
	linux_kernel_write(&fixture->kernel);
	for (uint64_t page = 0; page < 70; page++)
		linux_note_write(&fixture->kernel.ram, LINUX_RAM + 0x300000 + page * 0x1000, &fixture->kernel.note);
	refused(fixture, SC_REFUSED_DAMAGED, "guest memory has more VMCOREINFO notes than are looked at");
	/* What no note's length is does not count. */
	for (uint64_t page = 0; page < 70; page++)
		linux_ram_store(&fixture->kernel.ram, LINUX_RAM + 0x300004 + page * 0x1000, page % 2 ? UINT32_MAX : 0,
				4);
	refused(fixture, AS_FAR_AS_THE_LAYOUT);
	end(fixture);
}

static void no_vcpu_is_on(void **state)
{
	struct fixture *fixture = begin(&shape_4k, "6.12.3");

	(void)state;
	fixture->kernel.ram.off = true;
	write_and_refuse(fixture, SC_REFUSED_ABSENT, "all vCPUs are powered off");
	fixture = begin(&shape_4k, "6.12.3");
	fixture->kernel.ram.tables.sctlr = 0;
	write_and_refuse(fixture, SC_REFUSED_UNKNOWN, "the vCPU translates no kernel addresses");
}

/* While a vCPU is in user space, KPTI has it run by a table two pages before the kernel's. */
static void tables_of_user_space(void **state)
{
	struct fixture *fixture = begin(&shape_4k, "6.12.3");

	(void)state;
	linux_kernel_write(&fixture->kernel);
	fixture->kernel.ram.tables.ttbr1 -= 0x2000;
	refused(fixture, AS_FAR_AS_THE_LAYOUT);
	linux_kernel_symbol(&fixture->kernel, "tramp_pg_dir")->address -= 0x1000;
	linux_kernel_write(&fixture->kernel);
	fixture->kernel.ram.tables.ttbr1 = (fixture->kernel.tables.first - 0x2000) | 1;
	refused(fixture, SC_REFUSED_DAMAGED, "by other tables than the kernel's note says");
	end(fixture);
}

static void text_symbols_only(void **state)
{
	struct fixture *fixture = begin(&shape_4k, "6.1.0-50-cloud-arm64");

	(void)state;
	fixture->kernel.symbol_count = 3;
	write_and_refuse(fixture, SC_REFUSED_ABSENT,
			 "has functions only (CONFIG_KALLSYMS_ALL is not set), and no table has its build: 0000000000");
}

/* What the table of builds has is enough for Linux 6.1. */
static void variables_of_builds(void **state)
{
	const struct sc_series series = { 6, 1 };

	(void)state;
	for (uint32_t i = 0; i < sc_series_variable_count; i++) {
		uint32_t n = 0;

		while (n < BUILD_SYMBOLS && strcmp(sc_build_names[n], sc_series_variables[i].name) != 0)
			n++;
		if (sc_series_variables[i].in & sc_series_bit(&series) && n == BUILD_SYMBOLS)
			fail_msg("%s is not there", sc_series_variables[i].name);
	}
}

static void series_that_is_not_known(void **state)
{
	(void)state;
	write_and_refuse(begin(&shape_4k, "6.13.0"), SC_REFUSED_UNKNOWN, "what the timekeeping of Linux 6.13 means");
	write_and_refuse(begin(&shape_4k, "Plan-9"), SC_REFUSED_UNKNOWN, "release is not a version: Plan-9");
}

static void symbols_that_are_missing_or_twice(void **state)
{
	struct fixture *fixture = begin(&shape_4k, "6.12.3");

	(void)state;
	linux_kernel_symbol(&fixture->kernel, "tk_fast_raw")->name = "tk_fast_rare";
	write_and_refuse(fixture, SC_REFUSED_ABSENT, "the kernel has no symbol tk_fast_raw");
	fixture = begin(&shape_4k, "6.12.3");
	linux_kernel_symbol(&fixture->kernel, "clock_unrelated")->name = "cd";
	write_and_refuse(fixture, SC_REFUSED_UNKNOWN, "the kernel has several symbols cd");
	fixture = begin(&shape_4k, "6.12.3");
	linux_kernel_symbol(&fixture->kernel, "__start_BTF")->name = "__start_none";
	write_and_refuse(fixture, SC_REFUSED_ABSENT, "the kernel has no BTF");
	fixture = begin(&shape_4k, "6.12.3");
	linux_kernel_symbol(&fixture->kernel, "clock_unrelated")->name = "__start_BTF";
	write_and_refuse(fixture, SC_REFUSED_UNKNOWN, "the kernel has several symbols __start_BTF");
}

static void functions_without_an_end(void **state)
{
	struct fixture *fixture = begin(&shape_4k, "6.12.3");

	(void)state;
	linux_kernel_symbol(&fixture->kernel, "clock_behind_them")->address += 0x1000;
	write_and_refuse(fixture, SC_REFUSED_DAMAGED, "nothing says where arch_timer_set_next_event_phys ends");
	fixture = begin(&shape_4k, "6.12.3");
	linux_kernel_symbol(&fixture->kernel, "clockevents_program_event")->name = "clockevents_event";
	write_and_refuse(fixture, SC_REFUSED_ABSENT, "the kernel has no symbol clockevents_program_event");
}

static void anchors_that_are_elsewhere(void **state)
{
	struct fixture *fixture = begin(&shape_4k, "6.12.3");

	(void)state;
	linux_kernel_symbol(&fixture->kernel, "clock_unrelated")->name = "_stext";
	write_and_refuse(fixture, SC_REFUSED_DAMAGED, "it has not exactly one _stext");
	fixture = begin(&shape_4k, "6.12.3");
	linux_kernel_symbol(&fixture->kernel, "_stext")->address += 4;
	write_and_refuse(fixture, SC_REFUSED_DAMAGED, "_stext is elsewhere than its note says");
	fixture = begin(&shape_4k, "6.12.3");
	linux_kernel_symbol(&fixture->kernel, "swapper_pg_dir")->address += 0x1000;
	write_and_refuse(fixture, SC_REFUSED_DAMAGED, "swapper_pg_dir is elsewhere than its note says");
}

static void types_that_lie_nowhere(void **state)
{
	struct fixture *fixture = begin(&shape_4k, "6.12.3");

	(void)state;
	linux_kernel_write(&fixture->kernel);
	linux_tables_map(&fixture->kernel.tables, LINUX_BASE_VA + LINUX_TYPES, 0x9000000, 3);
	refused(fixture, SC_REFUSED_MEMORY, "guest physical address 0x9000000 is not RAM");
	end(fixture);
	fixture = begin(&shape_4k, "6.12.3");
	linux_kernel_symbol(&fixture->kernel, "__start_BTF")->address += 0x80000;
	write_and_refuse(fixture, SC_REFUSED_DAMAGED, "it ends before it begins");
	fixture = begin(&shape_4k, "6.12.3");
	fixture->kernel.encoding = LINUX_PLACE;
	linux_kernel_symbol(&fixture->kernel, "__start_BTF")->address -= 0x10000000;
	write_and_refuse(fixture, SC_REFUSED_DAMAGED, "it is too large");
}

static void structures_that_differ(void **state)
{
	struct fixture *fixture = begin(&shape_4k, "6.12.3");
	char *name = memmem(fixture->kernel.types.strings, LINUX_TYPES_MAX, "xtime_remainder", 16);

	(void)state;
	assert_non_null(name);
	name[0] = 'y';
	write_and_refuse(fixture, SC_REFUSED_ABSENT, "the kernel's struct timekeeper has no member xtime_remainder");
	fixture = begin(&shape_4k, "6.12.3");
	linux_type_struct(&fixture->kernel.types, LINUX_KIND_STRUCT, "timekeeper", 8,
			  &(struct linux_member){ "tkr_mono", 1, 0, 0 }, 1);
	write_and_refuse(fixture, SC_REFUSED_UNKNOWN, "the kernel's BTF has several structs timekeeper");
	fixture = begin(&shape_4k, "6.12.3");
	name = memmem(fixture->kernel.types.strings, LINUX_TYPES_MAX, "tick_device", 12);
	assert_non_null(name);
	name[0] = 'X';
	linux_type_struct(&fixture->kernel.types, LINUX_KIND_STRUCT, "tick_device", 8,
			  &(struct linux_member){ "evtdev", linux_type_int(&fixture->kernel.types, "int", 4), 0, 0 },
			  1);
	write_and_refuse(fixture, SC_REFUSED_UNKNOWN,
			 "the kernel's struct tick_device has a member of a size that is not known: evtdev");
}

static void arena_too_small(void **state)
{
	struct fixture *fixture = begin(&shape_4k, "6.12.3");
	size_t needed;

	(void)state;
	linux_kernel_write(&fixture->kernel);
	refused(fixture, AS_FAR_AS_THE_LAYOUT);
	needed = fixture->arena.used;
	for (size_t size = 0; size + 8 < needed; size += 331) {
		fixture->arena.size = size;
		refused(fixture, SC_REFUSED_SPACE, "more than are left for it");
	}
	end(fixture);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_shape),
		cmocka_unit_test(every_encoding),
		cmocka_unit_test(no_kernel),
		cmocka_unit_test(note_of_another_kernel),
		cmocka_unit_test(stale_note),
		cmocka_unit_test(several_notes),
		cmocka_unit_test(memory_full_of_notes),
		cmocka_unit_test(no_vcpu_is_on),
		cmocka_unit_test(tables_of_user_space),
		cmocka_unit_test(text_symbols_only),
		cmocka_unit_test(variables_of_builds),
		cmocka_unit_test(series_that_is_not_known),
		cmocka_unit_test(symbols_that_are_missing_or_twice),
		cmocka_unit_test(functions_without_an_end),
		cmocka_unit_test(anchors_that_are_elsewhere),
		cmocka_unit_test(types_that_lie_nowhere),
		cmocka_unit_test(structures_that_differ),
		cmocka_unit_test(arena_too_small),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
