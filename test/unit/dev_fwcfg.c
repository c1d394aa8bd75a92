/* SPDX-License-Identifier: BSD-2-Clause */
/* The firmware configuration device: items by register and by DMA, and a guest that aims DMA where it must not go. */
#include "unit.h"

#include "base/layout.h"
#include "dev/fwcfg.h"

#include <endian.h>
#include <errno.h>
#include <string.h>

#define ORDER (LAYOUT_RAM_BASE + 0x1000)
#define PLACE (LAYOUT_RAM_BASE + 0x2000)

static struct memory memory;
static struct fwcfg fwcfg;
static struct error error;
static const struct device_line line;

static int set_up(void **state)
{
	(void)state;
	assert_int_equal(memory_create(&memory, LAYOUT_RAM_MIN, &error), 0);
	assert_int_equal(memory_add_rom(&memory, LAYOUT_FLASH_CODE_BASE, 1 << 20, &error), 0);
	fwcfg_init(&fwcfg, &memory, 3, &line);
	fwcfg.device.ops->reset(&fwcfg.device);
	assert_int_equal(fwcfg_put(&fwcfg, "etc/one", "abcdefghijk", 11, &error), 0);
	return fwcfg_put(&fwcfg, "etc/two", "xyz", 3, &error);
}

static int tear_down(void **state)
{
	(void)state;
	fwcfg.device.ops->destroy(&fwcfg.device);
	memory_destroy(&memory);
	return 0;
}

static void store(uint64_t offset, unsigned int length, uint64_t value)
{
	fwcfg.device.ops->write(&fwcfg.device, offset, length, value);
}

static uint64_t load(uint64_t offset, unsigned int length)
{
	return fwcfg.device.ops->read(&fwcfg.device, offset, length);
}

static void choose(uint16_t key)
{
	store(8, 2, htobe16(key));
}

static void expect_bytes(const void *bytes, size_t size)
{
	for (size_t n = 0; n < size; n++)
		assert_int_equal(load(0, 1), ((const uint8_t *)bytes)[n]);
}

static void test_register(void **state)
{
	(void)state;
	expect_bytes("QEMU\0\0", 6);
	choose(0x01);
	expect_bytes("\x03\0\0\0\0", 5);
	choose(0x05);
	expect_bytes("\x03\0\0", 3);
	choose(0x20);
	assert_true(load(0, 8) == 0x6867666564636261ull);
	assert_int_equal(load(0, 4), 0x006b6a69);
	assert_int_equal(load(0, 8), 0);
	choose(0x21);
	assert_int_equal(load(0, 2), 0x7978);
	choose(0x22);
	expect_bytes("\0\0", 2);
	choose(0xffff);
	expect_bytes("\0\0", 2);
	assert_true(load(16, 8) == htobe64(0x51454d5520434647ull));
	assert_int_equal(load(20, 4), htobe32(0x20434647));
	assert_int_equal(load(8, 2), 0);
}

static void test_directory(void **state)
{
	static const uint8_t one[64] = "\0\0\0\x0b\0\x20\0\0etc/one", two[64] = "\0\0\0\x03\0\x21\0\0etc/two";

	(void)state;
	choose(0x19);
	expect_bytes("\0\0\0\2", 4);
	expect_bytes(one, sizeof(one));
	expect_bytes(two, sizeof(two));
	expect_bytes("\0", 1);
	/* A file of the same name comes last. */
	assert_int_equal(fwcfg_put(&fwcfg, "etc/one", "1", 1, &error), 0);
	choose(0x21);
	expect_bytes("1\0", 2);
	choose(0x20);
	expect_bytes("xyz\0", 4);
}

/* The control word afterwards. */
static uint32_t order(uint32_t control, uint32_t length, uint64_t place)
{
	struct {
		uint32_t control, length;
		uint64_t place;
	} words = { htobe32(control), htobe32(length), htobe64(place) };
	uint32_t after;

	assert_true(memory_write(&memory, ORDER, &words, sizeof(words)));
	store(16, 4, htobe32(ORDER >> 32));
	store(20, 4, htobe32((uint32_t)ORDER));
	assert_true(memory_read(&memory, ORDER, &after, sizeof(after)));
	return be32toh(after);
}

static void expect_ram(uint64_t gpa, const void *bytes, size_t size)
{
	assert_memory_equal(memory_span(&memory, gpa, size), bytes, size);
}

static void test_dma(void **state)
{
	static uint64_t dirty[LAYOUT_RAM_MIN / 4096 / 64 + 4];

	(void)state;
	memory_take_dirty(&memory, dirty);
	memset(dirty, 0, sizeof(dirty));
	assert_int_equal(order(0x0020000a, 4, PLACE), 0);
	expect_ram(PLACE, "abcd\0", 5);
	memory_take_dirty(&memory, dirty);
	assert_int_equal(dirty[0], 6);
	assert_int_equal(order(0x04, 2, 0), 0);
	assert_int_equal(order(0x02, 9, PLACE), 0);
	expect_ram(PLACE, "ghijk\0\0\0\0", 9);
	assert_int_equal(order(0x00210008, 0, 0), 0);
	assert_int_equal(load(0, 1), 'x');
	store(16, 8, htobe64(ORDER));
	assert_int_equal(order(0x00210002, 0, PLACE), 0); /* nothing is read, nothing chosen */
	assert_int_equal(load(0, 1), 'y');
}

static void test_dma_bad(void **state)
{
	static const struct {
		uint32_t control, length;
		uint64_t place;
	} bad[] = {
		{ 0x0020000a, 4, LAYOUT_RAM_BASE - 2 },	     { 0x0020000a, 4, LAYOUT_RAM_BASE + LAYOUT_RAM_MIN - 3 },
		{ 0x0020000a, 4, UINT64_MAX - 1 },	     { 0x0020000a, 4, LAYOUT_FLASH_CODE_BASE },
		{ 0x0020000a, 4, LAYOUT_UART_BASE },	     { 0x0020000a, 0x20001, LAYOUT_RAM_BASE },
		{ 0x0020000a, UINT32_MAX, LAYOUT_RAM_BASE }, { 0x00200018, 4, PLACE },
	};

	(void)state;
	for (size_t n = 0; n < ARRAY_SIZE(bad); n++)
		assert_int_equal(order(bad[n].control, bad[n].length, bad[n].place), 1);
	/* Far beyond the end, and again: the place does not come round. */
	assert_int_equal(order(0x0020000c, UINT32_MAX, 0), 0);
	assert_int_equal(order(0x04, 2, 0), 0);
	assert_int_equal(order(0x02, 2, PLACE), 0);
	expect_ram(PLACE, "\0\0", 2);
	/* Orders that are nowhere. */
	store(16, 8, htobe64(UINT64_MAX - 3));
	store(16, 8, htobe64(LAYOUT_RAM_BASE + LAYOUT_RAM_MIN - 8));
	store(20, 4, 0);
	/* No registers. */
	store(0, 8, 1);
	store(8, 4, 1);
	store(16, 2, 1);
}

static int reload(const void *data, size_t size)
{
	struct cursor cursor = cursor_make(data, size);
	int result = fwcfg.device.ops->load(&fwcfg.device, &cursor, 1);

	return result || cursor_finish(&cursor) ? result : -EPROTO;
}

static void test_state(void **state)
{
	struct buffer saved = { 0 };
	uint32_t many = 9;

	(void)state;
	choose(0x20);
	assert_int_equal(load(0, 4), 0x64636261);
	fwcfg.device.ops->save(&fwcfg.device, &saved);
	fwcfg.device.ops->reset(&fwcfg.device);
	assert_int_equal(load(0, 4), 0x554d4551);
	assert_int_equal(reload(saved.data, saved.size), 0);
	assert_int_equal(load(0, 4), 0x68676665);
	for (size_t size = 0; size < saved.size; size++)
		assert_int_equal(reload(saved.data, size), -EPROTO);
	memcpy(saved.data + 16, &many, sizeof(many));
	assert_int_equal(reload(saved.data, saved.size), -EPROTO);
	buffer_free(&saved);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(test_register), TEST(test_directory), TEST(test_dma), TEST(test_dma_bad), TEST(test_state),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
