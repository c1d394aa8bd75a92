/* SPDX-License-Identifier: BSD-2-Clause */
/* Direct boot, read as Linux reads it: from the device tree to the EFI tables, the memory map and the ACPI tables. */
#include "boot_fixture.h"

#include "boot/boot.h"

#include <errno.h>
#include <libfdt.h>
#include <stdlib.h>

#define BASE 0x40000000ull
#define RAM_SIZE 0x400000u
#define INITRD_SIZE 0x12345u

#define MAP_CONVENTIONAL 7
#define MAP_RECLAIM 9

/* A loaded machine: what the tests ask questions about. */
struct loaded {
	uint8_t kernel[IMAGE_FILE_SIZE];
	uint8_t initrd[INITRD_SIZE];
	struct boot_source source;
	uint8_t *ram;
	struct fixture_memory memory;
	struct boot_entry entry;
	const void *fdt;
	int chosen;
};

static int setup(void **state)
{
	struct loaded *loaded = calloc(1, sizeof(*loaded));
	struct error error;

	assert_non_null(loaded);
	fixture_image(loaded->kernel);
	memset(loaded->initrd, 0x77, INITRD_SIZE);
	loaded->source = (struct boot_source){
		.kernel = loaded->kernel,
		.kernel_size = IMAGE_FILE_SIZE,
		.initrd = loaded->initrd,
		.initrd_size = INITRD_SIZE,
		.command_line = "console=ttyAMA0 quiet",
		.machine = { .vcpus = 3 },
	};
	for (unsigned int i = 0; i < BOOT_SEED_SIZE; i++)
		loaded->source.seed[i] = (uint8_t)(i + 1);
	loaded->ram = calloc(1, RAM_SIZE);
	assert_non_null(loaded->ram);
	loaded->memory = (struct fixture_memory){ loaded->ram, RAM_SIZE, BASE };
	assert_int_equal(boot_load(&loaded->source, loaded->ram, RAM_SIZE, &loaded->entry, &error), 0);
	loaded->fdt = fixture_at(&loaded->memory, loaded->entry.x0, 8);
	loaded->chosen = fdt_path_offset(loaded->fdt, "/chosen");
	*state = loaded;
	return 0;
}

static int teardown(void **state)
{
	struct loaded *loaded = *state;

	free(loaded->ram);
	free(loaded);
	return 0;
}

/* A property of /chosen: its bytes, of which there are `size`. */
static const uint8_t *property(const struct loaded *loaded, const char *name, int size)
{
	int length;
	const void *value = fdt_getprop(loaded->fdt, loaded->chosen, name, &length);

	assert_non_null(value);
	assert_int_equal(length, size);
	return value;
}

static uint64_t property_u64(const struct loaded *loaded, const char *name)
{
	return fdt64_ld((const fdt64_t *)property(loaded, name, 8));
}

static uint32_t property_u32(const struct loaded *loaded, const char *name)
{
	return fdt32_ld((const fdt32_t *)property(loaded, name, 4));
}

static void test_kernel_and_initrd(void **state)
{
	struct loaded *loaded = *state;
	uint64_t start = property_u64(loaded, "linux,initrd-start");

	assert_int_equal(loaded->entry.pc, BASE);
	assert_memory_equal(loaded->ram, loaded->kernel, IMAGE_FILE_SIZE);
	assert_int_equal(property_u64(loaded, "linux,initrd-end") - start, INITRD_SIZE);
	assert_int_equal(start % 0x10000, 0);
	assert_memory_equal(fixture_at(&loaded->memory, start, INITRD_SIZE), loaded->initrd, INITRD_SIZE);
	assert_true(start >= BASE + IMAGE_MEMORY_SIZE && loaded->entry.x0 >= BASE + IMAGE_MEMORY_SIZE);
}

static void test_device_tree(void **state)
{
	struct loaded *loaded = *state;
	int root = fdt_path_offset(loaded->fdt, "/");

	assert_int_equal(loaded->entry.x0 % 8, 0);
	assert_int_equal(fdt_check_header(loaded->fdt), 0);
	assert_true(fdt_totalsize(loaded->fdt) < 2u << 20);
	assert_int_equal(fdt_first_subnode(loaded->fdt, root), loaded->chosen);
	assert_int_equal(fdt_next_subnode(loaded->fdt, loaded->chosen), -FDT_ERR_NOTFOUND);
	assert_string_equal((const char *)property(loaded, "bootargs", 22), "console=ttyAMA0 quiet");
	assert_memory_equal(property(loaded, "kaslr-seed", 8), loaded->source.seed, 8);
	assert_memory_equal(property(loaded, "rng-seed", BOOT_SEED_SIZE - 8), loaded->source.seed + 8,
			    BOOT_SEED_SIZE - 8);
	assert_int_equal(property_u32(loaded, "linux,uefi-secure-boot"), 2);
	assert_int_equal(property_u32(loaded, "linux,uefi-mmap-desc-size"), 40);
	assert_int_equal(property_u32(loaded, "linux,uefi-mmap-desc-ver"), 1);
}

/* The descriptors cover RAM without gaps, in whole pages of 64 KiB; the type of the memory at `address` is returned. */
static uint64_t memory_type(const struct loaded *loaded, uint64_t address)
{
	uint32_t size = property_u32(loaded, "linux,uefi-mmap-size");
	const uint8_t *map = fixture_at(&loaded->memory, property_u64(loaded, "linux,uefi-mmap-start"), size);
	uint64_t end = BASE, type = 0;

	assert_int_equal(size % 40, 0);
	for (uint32_t i = 0; i < size; i += 40) {
		uint64_t start = fixture_load(map + i + 8, 8);

		assert_int_equal(start, end);
		assert_int_equal(start % 0x10000, 0);
		assert_int_equal(fixture_load(map + i + 32, 8), 8);
		end = start + fixture_load(map + i + 24, 8) * 4096;
		assert_true(end > start);
		if (address >= start && address < end)
			type = fixture_load(map + i, 4);
	}
	assert_int_equal(end, BASE + RAM_SIZE);
	return type;
}

static void test_memory_map(void **state)
{
	struct loaded *loaded = *state;

	assert_int_equal(memory_type(loaded, BASE), MAP_CONVENTIONAL);
	assert_int_equal(memory_type(loaded, loaded->entry.x0), MAP_CONVENTIONAL);
	assert_int_equal(memory_type(loaded, property_u64(loaded, "linux,initrd-end") - 1), MAP_CONVENTIONAL);
	assert_int_equal(memory_type(loaded, property_u64(loaded, "linux,uefi-system-table")), MAP_RECLAIM);
	assert_int_equal(memory_type(loaded, property_u64(loaded, "linux,uefi-mmap-start")), MAP_RECLAIM);
}

/* The address in the configuration table of that GUID. */
static uint64_t configuration(const struct loaded *loaded, const char *guid)
{
	const uint8_t *system = fixture_at(&loaded->memory, property_u64(loaded, "linux,uefi-system-table"), 120);
	uint64_t count = fixture_load(system + 104, 8);
	const uint8_t *entries = fixture_at(&loaded->memory, fixture_load(system + 112, 8), count * 24);

	for (uint64_t i = 0; i < count; i++) {
		if (memcmp(entries + i * 24, guid, 16) == 0)
			return fixture_load(entries + i * 24 + 16, 8);
	}
	fail_msg("no such configuration table");
	return 0;
}

static void test_efi_tables(void **state)
{
	struct loaded *loaded = *state;
	const uint8_t *system = fixture_at(&loaded->memory, property_u64(loaded, "linux,uefi-system-table"), 120);
	uint64_t runtime = configuration(loaded, "\x8a\x91\x66\xeb\xef\x7e\x2a\x40\x84\x2e\x93\x1d\x21\xc3\x8a\xe9");
	uint64_t reserved = configuration(loaded, "\xc6\xb0\x8e\x88\xde\x8e\xf5\x4f\xa8\xf0\x9a\xee\x5c\xb9\x77\xc2");
	static const uint8_t zeroes[16];

	assert_memory_equal(system, "IBI SYST", 8);
	assert_int_equal(fixture_load(system + 12, 4), 120);
	assert_memory_equal(fixture_at(&loaded->memory, fixture_load(system + 24, 8), 200), "S\0e\0a\0", 6);
	assert_int_equal(fixture_load(system + 88, 8), 0); /* no runtime services */
	assert_int_equal(fixture_load(fixture_at(&loaded->memory, runtime, 8), 8), 1 | 8 << 16);
	assert_memory_equal(fixture_at(&loaded->memory, reserved, 16), zeroes, 16);
	assert_int_equal(memory_type(loaded, reserved), MAP_RECLAIM);
}

static uint32_t crc_of(const uint8_t *bytes, size_t size)
{
	uint32_t crc = UINT32_MAX;

	for (size_t bit = 0; bit < size * 8; bit++) {
		uint32_t in = (uint32_t)(bytes[bit / 8] >> bit % 8 & 1) ^ (crc & 1);

		crc = crc >> 1 ^ in * 0xedb88320u;
	}
	return ~crc;
}

static void test_efi_crc(void **state)
{
	struct loaded *loaded = *state;
	uint8_t system[120];

	memcpy(system, fixture_at(&loaded->memory, property_u64(loaded, "linux,uefi-system-table"), 120), 120);
	memset(system + 16, 0, 4);
	assert_int_equal(crc_of((const uint8_t *)"123456789", 9), 0xcbf43926);
	assert_int_equal(crc_of(system, 120),
			 fixture_load(loaded->ram + (property_u64(loaded, "linux,uefi-system-table") - BASE) + 16, 4));
}

static void test_acpi_tables(void **state)
{
	struct loaded *loaded = *state;
	uint64_t root = configuration(loaded, "\x71\xe8\x68\x88\xf1\xe4\xd3\x11\xbc\x22\x00\x80\xc7\x3c\x88\x81");
	const uint8_t *fadt = fixture_find(&loaded->memory, root, "FACP");
	const uint8_t *madt = fixture_find(&loaded->memory, root, "APIC");

	assert_int_equal(memory_type(loaded, root), MAP_RECLAIM);
	assert_int_equal(memory_type(loaded, fixture_load(fadt + 140, 8)), MAP_RECLAIM);
	assert_int_equal(fixture_load(madt + 4, 4), 44 + 24 + 3 * 80 + 16);
	fixture_find(&loaded->memory, root, "GTDT");
	fixture_find(&loaded->memory, root, "SPCR");
	fixture_find(&loaded->memory, root, "PPTT");
}

static void test_without_initrd(void **state)
{
	struct loaded *loaded = *state;
	struct error error;

	loaded->source.initrd = NULL;
	loaded->source.initrd_size = 0;
	memset(loaded->ram, 0, RAM_SIZE);
	assert_int_equal(boot_load(&loaded->source, loaded->ram, RAM_SIZE, &loaded->entry, &error), 0);
	assert_null(fdt_getprop(loaded->fdt, fdt_path_offset(loaded->fdt, "/chosen"), "linux,initrd-start", NULL));
}

/* A signed file is longer than the kernel's memory. */
static void test_only_the_kernel_is_copied(void **state)
{
	struct loaded *loaded = *state;
	struct error error;

	fixture_store(loaded->kernel + 16, 8, IMAGE_FILE_SIZE - 0x100);
	memset(loaded->ram, 0, RAM_SIZE);
	assert_int_equal(boot_load(&loaded->source, loaded->ram, RAM_SIZE, &loaded->entry, &error), 0);
	assert_int_equal(loaded->ram[IMAGE_FILE_SIZE - 0x100], 0);
	assert_int_equal(loaded->ram[IMAGE_FILE_SIZE - 0x101], loaded->kernel[IMAGE_FILE_SIZE - 0x101]);
}

static int try_load(struct loaded *loaded, uint64_t ram_size, struct error *error)
{
	uint8_t *ram = calloc(1, ram_size); /* exactly, for the sanitizer */
	int result;

	assert_non_null(ram);
	result = boot_load(&loaded->source, ram, ram_size, &loaded->entry, error);
	free(ram);
	return result;
}

/* The kernel's 33 pages of 64 KiB, the device tree's one, the RAM disk's two and the tables' one. */
static void test_just_fits(void **state)
{
	struct loaded *loaded = *state;
	struct error error;

	assert_int_equal(try_load(loaded, 37 * 0x10000, &error), 0);
	assert_int_equal(try_load(loaded, 36 * 0x10000, &error), -ENOSPC);
	assert_string_equal(error.text,
			    "the kernel and its initial RAM disk need 3 MiB, the guest has 2: give it more memory");
	loaded->source.initrd_size = 0;
	loaded->source.machine.vcpus = 123;
	assert_int_equal(try_load(loaded, 35 * 0x10000, &error), 0);
}

static void test_sizes_that_overflow(void **state)
{
	static const uint64_t sizes[] = { UINT64_MAX, UINT64_MAX - 0xffff, 1ull << 63, RAM_SIZE, RAM_SIZE + 1 };
	struct loaded *loaded = *state;
	struct error error;

	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		fixture_store(loaded->kernel + 16, 8, sizes[i]);
		assert_int_equal(try_load(loaded, RAM_SIZE, &error), -ENOSPC);
	}
	fixture_image(loaded->kernel);
	loaded->source.initrd_size = SIZE_MAX;
	assert_int_equal(try_load(loaded, RAM_SIZE, &error), -ENOSPC);
}

static void test_command_line(void **state)
{
	struct loaded *loaded = *state;
	char text[2049];
	struct error error;

	memset(text, 'x', sizeof(text));
	text[2047] = '\0';
	loaded->source.command_line = text;
	assert_int_equal(try_load(loaded, RAM_SIZE, &error), 0);
	text[2047] = 'x';
	text[2048] = '\0';
	assert_int_equal(try_load(loaded, RAM_SIZE, &error), -EINVAL);
	assert_non_null(strstr(error.text, "2048"));
}

static void test_vcpus(void **state)
{
	struct loaded *loaded = *state;
	struct error error;

	loaded->source.machine.vcpus = 0;
	assert_int_equal(try_load(loaded, RAM_SIZE, &error), -EINVAL);
	loaded->source.machine.vcpus = 124;
	assert_int_equal(try_load(loaded, RAM_SIZE, &error), -EINVAL);
	assert_string_equal(error.text, "124 vCPUs: give 1 to 123");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_kernel_and_initrd), TEST(test_device_tree),
		TEST(test_memory_map),	      TEST(test_efi_tables),
		TEST(test_efi_crc),	      TEST(test_acpi_tables),
		TEST(test_without_initrd),    TEST(test_only_the_kernel_is_copied),
		TEST(test_just_fits),	      TEST(test_sizes_that_overflow),
		TEST(test_command_line),      TEST(test_vcpus),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
