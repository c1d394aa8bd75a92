/* SPDX-License-Identifier: BSD-2-Clause */
/* The header of kernel files: what is taken, what is refused with which sentence, and that no bytes do harm. */
#include "boot_fixture.h"
#include "../property/random.h"

#include "boot/image.h"

#include <errno.h>
#include <stdlib.h>

static void refused(const void *file, size_t size, const char *words)
{
	uint8_t *exact = malloc(size ? size : 1); /* so that the sanitizer sees a read beyond the end */
	struct image image;
	struct error error = { .text = "" };

	assert_non_null(exact);
	memcpy(exact, file, size);
	assert_int_equal(image_parse(exact, size, &image, &error), -EINVAL);
	free(exact);
	if (!strstr(error.text, words))
		fail_msg("\"%s\" does not say \"%s\"", error.text, words);
}

static void test_taken(void **state)
{
	uint8_t file[IMAGE_FILE_SIZE];
	struct image image;
	struct error error;

	(void)state;
	fixture_image(file);
	fixture_store(file + 8, 8, 0x80000);
	assert_int_equal(image_parse(file, sizeof(file), &image, &error), 0);
	assert_int_equal(image.text_offset, 0x80000);
	assert_int_equal(image.memory_size, IMAGE_MEMORY_SIZE);
}

/* A kernel without an EFI stub does not say how long its file is. */
static void test_taken_without_sections(void **state)
{
	uint8_t file[IMAGE_FILE_SIZE];
	struct image image;
	struct error error;

	(void)state;
	fixture_image(file);
	fixture_store(file, 4, 0x14000000);
	assert_int_equal(image_parse(file, 64, &image, &error), 0);
}

static void test_lookalikes(void **state)
{
	static const struct {
		size_t offset;
		const char *bytes;
		size_t size;
		const char *words;
	} files[] = {
		{ 0, "\x1f\x8b\x08", 3, "compressed twice (gzip inside): unpack it first" },
		{ 0, "\xfd\x37zXZ", 6, "compressed (xz): unpack it first" },
		{ 0, "\x28\xb5\x2f\xfd", 4, "compressed twice (zstd inside): unpack it first" },
		{ 0, "\x02\x21\x4c\x18", 4, "compressed (lz4): unpack it first" },
		{ 0, "BZh9", 4, "compressed (bzip2): unpack it first" },
		{ 0, "MZ\0\0zimg", 8, "compressed twice (zboot inside): unpack it first" },
		{ 0, "\x7f\x45LF", 4, "arch/arm64/boot/Image" },
		{ 0x202, "HdrS", 4, "x86" },
		{ 0, "hello", 5, "not an arm64 Image" },
	};
	uint8_t file[0x1000];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		memset(file, 0, sizeof(file));
		memcpy(file + files[i].offset, files[i].bytes, files[i].size);
		refused(file, sizeof(file), files[i].words);
	}
}

static void test_bad_headers(void **state)
{
	uint8_t file[IMAGE_FILE_SIZE];

	(void)state;
	refused("", 0, "empty");
	refused("hello", 5, "5 bytes");
	fixture_image(file);
	fixture_store(file + 24, 8, 1);
	refused(file, sizeof(file), "big-endian");
	fixture_image(file);
	fixture_store(file + 16, 8, 0);
	refused(file, sizeof(file), "3.17");
	fixture_image(file);
	fixture_store(file + 8, 8, UINT64_MAX);
	refused(file, sizeof(file), "text offset");
}

static void test_cut_off_anywhere(void **state)
{
	uint8_t file[IMAGE_FILE_SIZE];

	(void)state;
	fixture_image(file);
	for (size_t size = 64; size < sizeof(file); size += size < 0x200 ? 1 : 61)
		refused(file, size, "cut off");
	refused(file, sizeof(file) - 1, "12287; copy it again");
}

static void test_any_header_is_harmless(void **state)
{
	struct random random = random_start();
	uint8_t *file = malloc(0x400);
	uint8_t whole[IMAGE_FILE_SIZE];
	struct image image;
	struct error error;

	(void)state;
	assert_non_null(file);
	fixture_image(whole);
	for (int i = 0; i < 20000; i++) {
		memcpy(file, whole, 0x400);
		for (int change = 0; change < 4; change++)
			file[random_between(&random, 8, 0x207)] = (uint8_t)random_next(&random);
		if (image_parse(file, 0x400, &image, &error) == 0)
			assert_true(image.memory_size > 0 && image.text_offset < 2u << 20);
	}
	free(file);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_taken),
		cmocka_unit_test(test_taken_without_sections),
		cmocka_unit_test(test_lookalikes),
		cmocka_unit_test(test_bad_headers),
		cmocka_unit_test(test_cut_off_anywhere),
		cmocka_unit_test(test_any_header_is_harmless),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
