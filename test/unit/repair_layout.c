/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The layout of a made-up kernel, and its fingerprint: it changes with any member of a structure that is used, also
 * with one that is not, and with nothing else.
 */
#include "unit.h"

#include "../../repair/layout.h"
#include "../fake/linux_kernel.h"

#include <stdlib.h>
#include <string.h>

#define BYTES_MAX 20000u

struct fixture {
	struct linux_kernel kernel;
	uint8_t bytes[BYTES_MAX];
	uint8_t memory[20000];
	struct sc_refusal why;
};

static struct fixture *begin(void)
{
	const struct linux_shape shape = { 12, 48, false };
	struct fixture *fixture = calloc(1, sizeof(*fixture));

	assert_non_null(fixture);
	linux_kernel_begin(&fixture->kernel, &shape, "6.12.3");
	return fixture;
}

static void end(struct fixture *fixture)
{
	linux_kernel_end(&fixture->kernel);
	free(fixture);
}

static int read_layout(struct fixture *fixture, struct sc_series series, struct sc_layout *layout)
{
	struct sc_arena arena = { .memory = fixture->memory, .size = sizeof(fixture->memory) };
	size_t size = linux_types_write(&fixture->kernel.types, fixture->bytes, BYTES_MAX);
	struct types types;

	if (sc_types_open(&types, fixture->bytes, size, &arena, &fixture->why))
		fail_msg("%s", fixture->why.text);
	return sc_layout_read(layout, &series, &types, &fixture->why);
}

static uint64_t fingerprint(struct fixture *fixture)
{
	struct sc_layout layout;

	if (read_layout(fixture, (struct sc_series){ 6, 12 }, &layout))
		fail_msg("%s", fixture->why.text);
	return layout.fingerprint;
}

static void places(void **state)
{
	struct fixture *fixture = begin();
	struct sc_layout layout;

	(void)state;
	assert_int_equal(read_layout(fixture, (struct sc_series){ 6, 12 }, &layout), 0);
	assert_int_equal(layout.field[SC_READ_BASE_MASK].offset, 8);
	assert_int_equal(layout.field[SC_READ_BASE_MASK].size, 8);
	assert_int_equal(layout.field[SC_READ_BASE_MULT].size, 4);
	assert_int_equal(layout.field[SC_CORE_TIMEKEEPER].size, 280);
	assert_int_equal(layout.size[SC_STRUCT_READ_BASE], 64);
	/* What the series has not. */
	assert_int_equal(layout.field[SC_TK_COARSE_NSEC].size, 0);
	assert_int_equal(layout.size[SC_STRUCT_NTP], 0);
	end(fixture);
}

/* One structure more, which is not used; and a change of one in each way there is. */
static void fingerprint_of_what_is_used(void **state)
{
	static const char *const names[] = { "tkr_raw", "cycle_last", "sched_clock_mask", "reg_cntfrq" };
	struct fixture *fixture = begin();
	uint64_t known = fingerprint(fixture);

	(void)state;
	linux_type_struct(&fixture->kernel.types, LINUX_KIND_STRUCT, "unrelated", 8,
			  &(struct linux_member){ "mask", 1, 0, 0 }, 1);
	assert_int_equal(fingerprint(fixture), known);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		char *name = memmem(fixture->kernel.types.strings, LINUX_TYPES_MAX, names[i], strlen(names[i]) + 1);
		struct sc_layout layout;

		assert_non_null(name);
		name[0] = 'X';
		assert_int_equal(read_layout(fixture, (struct sc_series){ 6, 12 }, &layout), -SC_REFUSED_ABSENT);
		name[0] = names[i][0];
	}
	assert_int_equal(fingerprint(fixture), known);
	end(fixture);
}

/* The struct of a name in BTF, made anew with a member that nobody looks at. */
static uint64_t fingerprint_with(const struct linux_member *extra)
{
	static const char tick[] = "tick_device";
	struct fixture *fixture = begin();
	struct linux_types *types = &fixture->kernel.types;
	char *name = memmem(types->strings, LINUX_TYPES_MAX, tick, sizeof(tick));
	uint32_t u64 = linux_type_int(types, "number", 8);
	struct linux_member members[] = { { "evtdev", u64, 0, 0 }, *extra };
	uint64_t result;

	assert_non_null(name);
	name[0] = 'X';
	members[1].type = u64 + (members[1].type ? 1 : 0);
	linux_type_int(types, "another", 4);
	linux_type_struct(types, LINUX_KIND_STRUCT, "tick_device", 24, members, extra->name ? 2 : 1);
	result = fingerprint(fixture);
	end(fixture);
	return result;
}

static void fingerprint_of_what_is_not_looked_at(void **state)
{
	const struct linux_member extras[] = {
		{ 0 },
		{ "mode", 0, 64, 0 },
		{ "mood", 0, 64, 0 },
		{ "mode", 0, 128, 0 },
		{ "mode", 1, 64, 0 },
		{ "mode", 1, 64, 3 },
	};
	uint64_t prints[ARRAY_SIZE(extras)];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(extras); i++) {
		prints[i] = fingerprint_with(&extras[i]);
		assert_int_equal(fingerprint_with(&extras[i]), prints[i]);
		for (size_t n = 0; n < i; n++)
			assert_int_not_equal(prints[n], prints[i]);
	}
}

static void unknown(void **state)
{
	struct fixture *fixture = begin();
	const char *build;
	struct sc_layout layout;

	(void)state;
	assert_int_equal(read_layout(fixture, (struct sc_series){ 6, 13 }, &layout), -SC_REFUSED_UNKNOWN);
	assert_int_equal(read_layout(fixture, (struct sc_series){ 6, 12 }, &layout), 0);
	assert_int_equal(sc_layout_judge(&layout, &build, &fixture->why), -SC_REFUSED_UNKNOWN);
	assert_null(build);
	layout.fingerprint = 0x86e1ac1cb6e8b9a1;
	assert_int_equal(sc_layout_judge(&layout, &build, &fixture->why), 0);
	assert_non_null(build);
	/* Of another series the same is not known. */
	layout.series.minor = 13;
	assert_int_equal(sc_layout_judge(&layout, &build, &fixture->why), -SC_REFUSED_UNKNOWN);
	end(fixture);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(places),
		cmocka_unit_test(fingerprint_of_what_is_used),
		cmocka_unit_test(fingerprint_of_what_is_not_looked_at),
		cmocka_unit_test(unknown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
