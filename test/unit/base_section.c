/* SPDX-License-Identifier: BSD-2-Clause */
/* Sections: written and read, empty ones, and bytes that are none. */
#include "unit.h"

#include "base/section.h"

#include <string.h>

#define ID_A SECTION_ID('A', 'B', 'C', 'D')
#define ID_B SECTION_ID('x', ' ', 1, 0x7f)

static struct buffer two_sections(void)
{
	struct buffer buffer = { 0 };
	size_t begun = section_begin(&buffer, ID_A, 0, 1, false);

	buffer_put_u64(&buffer, 42);
	section_end(&buffer, begun);
	begun = section_begin(&buffer, ID_B, 7, 3, true);
	section_end(&buffer, begun);
	return buffer;
}

static void test_there_and_back(void **state)
{
	struct buffer buffer = two_sections();
	struct cursor cursor = cursor_make(buffer.data, buffer.size);
	struct section section;

	(void)state;
	assert_true(section_next(&cursor, &section));
	assert_int_equal(section.id, ID_A);
	assert_int_equal(section.instance, 0);
	assert_int_equal(section.version, 1);
	assert_false(section.optional);
	assert_int_equal(cursor_u64(&section.content), 42);
	assert_true(cursor_finish(&section.content));
	assert_true(section_next(&cursor, &section));
	assert_int_equal(section.id, ID_B);
	assert_int_equal(section.instance, 7);
	assert_int_equal(section.version, 3);
	assert_true(section.optional);
	assert_true(cursor_finish(&section.content));
	assert_false(section_next(&cursor, &section));
	assert_true(cursor_finish(&cursor));
	buffer_free(&buffer);
}

/* Cut anywhere but between two sections, it is damaged. */
static void test_cut(void **state)
{
	struct buffer buffer = two_sections();

	(void)state;
	for (size_t size = 0; size < buffer.size; size++) {
		struct cursor cursor = cursor_make(buffer.data, size);
		struct section section;
		unsigned int count = 0;

		while (section_next(&cursor, &section))
			count++;
		assert_int_equal(count, size >= SECTION_HEADER_SIZE + sizeof(uint64_t));
		assert_int_equal(cursor_finish(&cursor), !size || size == SECTION_HEADER_SIZE + sizeof(uint64_t));
	}
	buffer_free(&buffer);
}

/* A version of 0, flags that mean nothing, a size beyond the end. */
static void test_damage(void **state)
{
	static const struct {
		size_t at;
		uint8_t value;
	} cases[] = { { 8, 0 }, { 12, 2 }, { 12, 0x81 }, { 15, 1 }, { 16, 255 }, { 19, 255 } };

	(void)state;
	for (size_t n = 0; n < ARRAY_SIZE(cases); n++) {
		struct buffer buffer = two_sections();
		struct cursor cursor = cursor_make(buffer.data, buffer.size);
		struct section section;

		buffer.data[cases[n].at] = cases[n].value;
		assert_false(section_next(&cursor, &section));
		assert_false(cursor_finish(&cursor));
		buffer_free(&buffer);
	}
}

static void test_name(void **state)
{
	char text[5];

	(void)state;
	section_name(ID_A, text);
	assert_string_equal(text, "ABCD");
	section_name(ID_B, text);
	assert_string_equal(text, "x ??");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_there_and_back),
		cmocka_unit_test(test_cut),
		cmocka_unit_test(test_damage),
		cmocka_unit_test(test_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
