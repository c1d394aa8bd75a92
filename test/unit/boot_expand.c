/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Compressed kernels: what is taken, that of anything cut off, damaged, too large or of another method nothing is
 * taken, and that each refusal is a sentence.
 */
#include "boot_fixture.h"
#include "compressed_fixture.h"
#include "../property/random.h"

#include "boot/expand.h"

#include <errno.h>
#include <signal.h>

#define LIMIT ((size_t)8 << 20)

enum {
	GZIP,
	ZSTD,
	WAYS
};

/* Some of it repeats, some does not. */
static void plain_fill(struct buffer *plain, size_t size)
{
	struct random random = { .state = 7 };
	uint8_t *place = buffer_reserve(plain, size);

	for (size_t i = 0; i < size; i++)
		place[i] = (uint8_t)(i % 3 ? i >> 6 : random_next(&random));
}

static void put(struct buffer *file, int way, const void *plain, size_t size)
{
	if (way == GZIP)
		compressed_put_gzip(file, plain, size);
	else
		compressed_put_zstd(file, plain, size);
}

/* The result; of a refusal nothing is left. The file is where the sanitizer sees a read beyond its end. */
static int expand(const void *file, size_t size, size_t limit, struct buffer *image, struct error *error)
{
	uint8_t *exact = malloc(size ? size : 1);
	int result;

	assert_non_null(exact);
	memcpy(exact, file, size);
	*error = (struct error){ .text = "" };
	*image = (struct buffer){ 0 };
	result = expand_kernel(exact, size, limit, image, error);
	free(exact);
	if (result) {
		assert_null(image->data);
		assert_true(error->text[0] && error->err == -result);
	}
	return result;
}

static void expect_expanded(const struct buffer *file, const struct buffer *plain)
{
	struct buffer image;
	struct error error;

	if (expand(file->data, file->size, LIMIT, &image, &error))
		fail_msg("refused: %s", error.text);
	assert_non_null(image.data);
	assert_int_equal(image.size, plain->size);
	assert_memory_equal(image.data, plain->data, plain->size);
	buffer_free(&image);
}

static void expect_refused(const void *file, size_t size, int err, const char *words)
{
	struct buffer image;
	struct error error;

	assert_int_equal(expand(file, size, LIMIT, &image, &error), -err);
	if (!strstr(error.text, words))
		fail_msg("\"%s\" does not say \"%s\"", error.text, words);
}

/* ---- What is taken ---- */

static void test_not_compressed(void **state)
{
	static const char *const files[] = { "", "\x1f", "\x28\xb5\x2f", "MZ\0\0zim", "hello", "\xfd\x37zXZ" };
	static const size_t sizes[] = { 0, 1, 3, 7, 5, 5 };
	struct buffer image;
	struct error error;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		assert_int_equal(expand(files[i], sizes[i], LIMIT, &image, &error), 0);
		assert_null(image.data);
	}
}

static void test_each_size(void **state)
{
	static const size_t sizes[] = { 0, 1, 1000, (1 << 20) - 1, 1 << 20, (1 << 20) + 1, 5000000 };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(sizes) * WAYS; i++) {
		struct buffer plain = { 0 }, file = { 0 };

		plain_fill(&plain, sizes[i / WAYS]);
		put(&file, i % WAYS, plain.data, plain.size);
		expect_expanded(&file, &plain);
		buffer_free(&file);
		compressed_put_zboot(&file, i % WAYS ? "zstd" : "gzip", i % WAYS, plain.data, plain.size);
		expect_expanded(&file, &plain);
		buffer_free(&file);
		buffer_free(&plain);
	}
}

/* What was compressed in parts, as parallel tools do, is one kernel. */
static void test_several_members(void **state)
{
	struct buffer plain = { 0 };

	(void)state;
	plain_fill(&plain, 3000000);
	for (int way = 0; way < WAYS; way++) {
		struct buffer file = { 0 };

		put(&file, way, plain.data, 1234567);
		put(&file, way, plain.data, 0);
		put(&file, way, plain.data + 1234567, 3000000 - 1234567);
		expect_expanded(&file, &plain);
		buffer_free(&file);
	}
	buffer_free(&plain);
}

/* Older kernels have another name for it; what follows the payload, such as a signature, is nobody's. */
static void test_old_zboot(void **state)
{
	struct buffer plain = { 0 }, file = { 0 };

	(void)state;
	plain_fill(&plain, 5000);
	compressed_put_zboot(&file, "zstd22", true, plain.data, plain.size);
	buffer_put(&file, "signature", 9);
	expect_expanded(&file, &plain);
	buffer_free(&file);
	buffer_free(&plain);
}

/* ---- What is refused ---- */

/* Of each kind of file: GZIP, ZSTD, and zboot with either. */
static void fill_kind(struct buffer *file, int kind, const struct buffer *plain)
{
	if (kind < WAYS)
		put(file, kind, plain->data, plain->size);
	else
		compressed_put_zboot(file, kind % WAYS ? "zstd" : "gzip", kind % WAYS, plain->data, plain->size);
}

static void test_cut_off_anywhere(void **state)
{
	static const size_t magic[] = { 2, 4, 8, 8 };
	struct buffer plain = { 0 };

	(void)state;
	plain_fill(&plain, 2000);
	for (int kind = 0; kind < 2 * WAYS; kind++) {
		struct buffer file = { 0 };
		size_t behind = kind < WAYS ? 0 : COMPRESSED_BEHIND;

		fill_kind(&file, kind, &plain);
		for (size_t size = magic[kind]; size < file.size - behind; size++)
			expect_refused(file.data, size, EINVAL, "cut off");
		buffer_free(&file);
	}
	buffer_free(&plain);
}

/* A byte that means nothing may change, but then the kernel is the same. */
static void test_damaged_anywhere(void **state)
{
	struct random random = random_start();
	struct buffer plain = { 0 };

	(void)state;
	plain_fill(&plain, 2000);
	for (int kind = 0; kind < 2 * WAYS; kind++) {
		struct buffer file = { 0 };
		size_t refused = 0;

		fill_kind(&file, kind, &plain);
		for (size_t i = 0; i < file.size; i++) {
			uint8_t change = (uint8_t)random_between(&random, 1, 255);
			struct buffer image;
			struct error error;

			file.data[i] ^= change;
			if (expand(file.data, file.size, LIMIT, &image, &error)) {
				refused++;
			} else if (image.data) {
				assert_int_equal(image.size, plain.size);
				assert_memory_equal(image.data, plain.data, plain.size);
			}
			buffer_free(&image);
			file.data[i] ^= change;
		}
		assert_true(refused > file.size / 2);
		buffer_free(&file);
	}
	buffer_free(&plain);
}

static void test_something_follows(void **state)
{
	static const char *const behind[] = { "\0", "\x1f", "MZ", "\xd0\x07\0\0" };
	static const size_t sizes[] = { 1, 1, 2, 4 };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(behind) * WAYS; i++) {
		struct buffer file = { 0 };
		char words[40];

		put(&file, i % WAYS, "kernel", 6);
		buffer_put(&file, behind[i / WAYS], sizes[i / WAYS]);
		snprintf(words, sizeof(words), "%zu bytes follow its end", sizes[i / WAYS]);
		expect_refused(file.data, file.size, EINVAL, words);
		buffer_free(&file);
	}
}

/* Fewer bytes than the limit are taken, and hardly more memory is asked for. */
static void test_limit(void **state)
{
	static const size_t limits[] = { 1, 100000, 1 << 20, 3 << 20 };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(limits) * 2 * WAYS; i++) {
		size_t limit = limits[i / (2 * WAYS)];
		struct buffer plain = { 0 }, file = { 0 }, image;
		struct error error;

		memset(buffer_reserve(&plain, limit), 0, limit);
		fill_kind(&file, i % (2 * WAYS), &plain);
		assert_int_equal(expand(file.data, file.size, limit, &image, &error), -EFBIG);
		assert_non_null(strstr(error.text, "or more: give a smaller one"));
		buffer_free(&file);
		plain.size--;
		fill_kind(&file, i % (2 * WAYS), &plain);
		assert_int_equal(expand(file.data, file.size, limit, &image, &error), 0);
		assert_int_equal(image.size, limit - 1);
		assert_true(image.capacity <= 2 * (limit > 4096 ? limit : 4096));
		buffer_free(&image);
		buffer_free(&file);
		buffer_free(&plain);
	}
}

static void test_other_methods(void **state)
{
	static const char *const methods[][2] = {
		{ "xzkern", "compressed by xzkern: give one by gzip or zstd" },
		{ "lz4", "compressed by lz4:" },
		{ "", "compressed by no known method" },
		{ "gzip\x1b[2J", "compressed by no known method" },
		{ "0123456789abcdef0123456789abcdef", "compressed by 0123456789abcdef0123456789abcdef:" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(methods); i++) {
		struct buffer file = { 0 };

		compressed_put_zboot(&file, methods[i][0], false, "kernel", 6);
		expect_refused(file.data, file.size, EINVAL, methods[i][1]);
		buffer_free(&file);
	}
}

static void test_bad_zboot(void **state)
{
	static const struct {
		uint32_t start, size;
		const char *words;
	} places[] = {
		{ UINT32_MAX, UINT32_MAX, "ends at byte 8589934590, the file at 90; copy it again" },
		{ 64, UINT32_MAX, "cut off" },
		{ UINT32_MAX, 1, "cut off" },
		{ 64, 0, "cut off" },
		{ 0, 64, "damaged (gzip: incorrect header check)" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		struct buffer file = { 0 };

		compressed_put_zboot(&file, "gzip", false, "kernel", 6);
		file.size = 90;
		fixture_store(file.data + 8, 4, places[i].start);
		fixture_store(file.data + 12, 4, places[i].size);
		expect_refused(file.data, file.size, EINVAL, places[i].words);
		buffer_free(&file);
	}
}

/* A frame that asks for the largest window that can be written down. */
static void test_large_window(void **state)
{
	(void)state;
	expect_refused("\x28\xb5\x2f\xfd\x00\xff\x01\x00\x00", 9, EINVAL, "too much memory");
}

static void test_any_bytes_are_harmless(void **state)
{
	struct random random = random_start();
	struct buffer files[WAYS] = { 0 };

	(void)state;
	for (int way = 0; way < WAYS; way++)
		put(&files[way], way, "kernel, or something like it", 28);
	for (int i = 0; i < 5000; i++) {
		const struct buffer *file = &files[i % WAYS];
		uint8_t bytes[100];
		struct buffer image;
		struct error error;

		memcpy(bytes, file->data, file->size);
		for (int change = 0; change < 4; change++)
			bytes[random_between(&random, 4, file->size - 1)] = (uint8_t)random_next(&random);
		expand(bytes, file->size, 1000, &image, &error);
		assert_true(image.size < 1000);
		buffer_free(&image);
	}
	for (int way = 0; way < WAYS; way++)
		buffer_free(&files[way]);
}

static void test_told_to_end(void **state)
{
	struct buffer file = { 0 };
	sigset_t orders;
	int taken;

	(void)state;
	sigemptyset(&orders);
	sigaddset(&orders, SIGTERM);
	assert_int_equal(sigprocmask(SIG_BLOCK, &orders, NULL), 0);
	assert_int_equal(raise(SIGTERM), 0);
	compressed_put_gzip(&file, "kernel", 6);
	expect_refused(file.data, file.size, EINTR, "told to end");
	assert_int_equal(sigwait(&orders, &taken), 0);
	buffer_free(&file);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_not_compressed),	  cmocka_unit_test(test_each_size),
		cmocka_unit_test(test_several_members),	  cmocka_unit_test(test_old_zboot),
		cmocka_unit_test(test_cut_off_anywhere),  cmocka_unit_test(test_damaged_anywhere),
		cmocka_unit_test(test_something_follows), cmocka_unit_test(test_limit),
		cmocka_unit_test(test_other_methods),	  cmocka_unit_test(test_bad_zboot),
		cmocka_unit_test(test_large_window),	  cmocka_unit_test(test_any_bytes_are_harmless),
		cmocka_unit_test(test_told_to_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
