/* SPDX-License-Identifier: BSD-2-Clause */
/* The header of an arm64 kernel's Image file: see the header. */
#include "boot/image.h"

#include <endian.h>
#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <string.h>

#define HEADER_SIZE 64
#define HEADER_TEXT_OFFSET 8
#define HEADER_IMAGE_SIZE 16
#define HEADER_FLAGS 24
#define HEADER_MAGIC 56
#define HEADER_PE_OFFSET 60
#define MAGIC 0x644d5241u /* "ARM\x64" */
#define FLAG_BIG_ENDIAN 1u
#define TEXT_OFFSET_MAX (2u << 20)

#define PE_SECTION_COUNT 6
#define PE_OPTIONAL_SIZE 20
#define PE_HEADER_SIZE 24
#define SECTION_SIZE 40
#define SECTION_RAW_SIZE 16
#define SECTION_RAW_OFFSET 20

/* Files that people take for a kernel's Image, by the bytes that they have at `offset`. */
static const struct {
	size_t offset;
	const char *bytes;
	size_t size;
	const char *sentence;
} lookalikes[] = {
	/* What expand_kernel() has expanded is not expanded again. */
	{ 4, "zimg", 4, "the kernel is compressed twice (zboot inside): unpack it first" },
	{ 0, "\x1f\x8b", 2, "the kernel is compressed twice (gzip inside): unpack it first" },
	{ 0, "\x28\xb5\x2f\xfd", 4, "the kernel is compressed twice (zstd inside): unpack it first" },
	{ 0, "\xfd\x37zXZ", 5, "the kernel is compressed (xz): unpack it first" },
	{ 0, "\x02\x21\x4c\x18", 4, "the kernel is compressed (lz4): unpack it first" },
	{ 0, "BZh", 3, "the kernel is compressed (bzip2): unpack it first" },
	{ 0, "\x7f\x45LF", 4, "the kernel is an ELF file, as vmlinux is: give arch/arm64/boot/Image instead" },
	{ 0x202, "HdrS", 4, "the kernel is for x86 (bzImage): give an arm64 one" },
};

static uint64_t load(const uint8_t *bytes, unsigned int width)
{
	uint64_t value = 0;

	memcpy(&value, bytes, width);
	return le64toh(value);
}

static bool has(const uint8_t *file, size_t size, size_t offset, const void *bytes, size_t count)
{
	return size >= count && offset <= size - count && memcmp(file + offset, bytes, count) == 0;
}

static int refuse_lookalikes(const uint8_t *file, size_t size, struct error *error)
{
	for (size_t i = 0; i < sizeof(lookalikes) / sizeof(lookalikes[0]); i++) {
		if (has(file, size, lookalikes[i].offset, lookalikes[i].bytes, lookalikes[i].size))
			return error_set(error, EINVAL, "%s", lookalikes[i].sentence);
	}
	return 0;
}

static int check_header(const uint8_t *file, size_t size, struct error *error)
{
	uint64_t text_offset, magic;

	if (size < HEADER_SIZE)
		return error_set(error, EINVAL,
				 "the kernel file has %zu bytes, fewer than the %d of an arm64 Image's header", size,
				 HEADER_SIZE);
	magic = load(file + HEADER_MAGIC, 4);
	if (magic != MAGIC)
		return error_set(error, EINVAL,
				 "the kernel is not an arm64 Image: it has 0x%08" PRIx64 " at byte %d, not 0x%08x",
				 magic, HEADER_MAGIC, MAGIC);
	if (load(file + HEADER_FLAGS, 8) & FLAG_BIG_ENDIAN)
		return error_set(error, EINVAL, "the kernel is big-endian: give a little-endian one");
	if (load(file + HEADER_IMAGE_SIZE, 8) == 0)
		return error_set(error, EINVAL, "the kernel does not state its size: give Linux 3.17 or newer");
	text_offset = load(file + HEADER_TEXT_OFFSET, 8);
	if (text_offset >= TEXT_OFFSET_MAX)
		return error_set(error, EINVAL,
				 "the kernel's header is damaged: text offset 0x%" PRIx64 ", 0x%x or more", text_offset,
				 TEXT_OFFSET_MAX);
	return 0;
}

static int refuse_cut_off(struct error *error, const char *part, uint64_t end, size_t size)
{
	return error_set(error, EINVAL,
			 "the kernel file is cut off: %s ends at byte %" PRIu64 ", the file at %zu; copy it again",
			 part, end, size);
}

/* A kernel that can be started by EFI says how long its file is; others do not. */
static int check_sections(const uint8_t *file, size_t size, struct error *error)
{
	uint64_t pe = load(file + HEADER_PE_OFFSET, 4);
	uint64_t table, count, end;

	if (!has(file, size, 0, "MZ", 2))
		return 0;
	if (pe > size || size - pe < PE_HEADER_SIZE)
		return refuse_cut_off(error, "the PE header", pe + PE_HEADER_SIZE, size);
	table = pe + PE_HEADER_SIZE + load(file + pe + PE_OPTIONAL_SIZE, 2);
	count = load(file + pe + PE_SECTION_COUNT, 2);
	end = table + count * SECTION_SIZE;
	if (end > size)
		return refuse_cut_off(error, "the section table", end, size);
	for (uint64_t i = 0; i < count; i++) {
		const uint8_t *section = file + table + i * SECTION_SIZE;

		end = load(section + SECTION_RAW_OFFSET, 4) + load(section + SECTION_RAW_SIZE, 4);
		if (end > size)
			return refuse_cut_off(error, "a section", end, size);
	}
	return 0;
}

int image_parse(const void *file, size_t size, struct image *image, struct error *error)
{
	const uint8_t *bytes = file;
	int err;

	if (size == 0)
		return error_set(error, EINVAL, "the kernel file is empty");
	err = refuse_lookalikes(bytes, size, error);
	if (!err)
		err = check_header(bytes, size, error);
	if (!err)
		err = check_sections(bytes, size, error);
	if (err)
		return err;
	image->text_offset = load(bytes + HEADER_TEXT_OFFSET, 8);
	image->memory_size = load(bytes + HEADER_IMAGE_SIZE, 8);
	return 0;
}
