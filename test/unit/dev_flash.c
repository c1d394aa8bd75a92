/* SPDX-License-Identifier: BSD-2-Clause */
/* The flash of the firmware's variables: when the guest reads it as memory, and when its file is written. */
#include "replace_fixture.h"
#include "../wait_scale.h"

#include "base/file.h"
#include "base/layout.h"
#include "dev/flash.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LIMIT_S 60
#define LONG_MS 60000
#define SHORT_MS 30

static char folder[] = "/tmp/seaclock-flash-XXXXXX";
static char path[64];
static struct memory memory;
static struct flash flash;
static struct error error;
static bool shown;
static uint32_t shows;

static void show(void *context, uint64_t gpa, bool to)
{
	(void)context;
	assert_int_equal(gpa, 0x04000000);
	assert_true(to != shown);
	shown = to;
	shows++;
}

static const struct device_line line = { .show_rom = show };

static int make_folder(void **state)
{
	(void)state;
	return mkdtemp(folder) && snprintf(path, sizeof(path), "%s/vars", folder) > 0 ? 0 : -1;
}

static int remove_folder(void **state)
{
	(void)state;
	return rmdir(folder);
}

static void begin(const char *file)
{
	shown = true;
	shows = 0;
	assert_int_equal(memory_create(&memory, LAYOUT_RAM_MIN, &error), 0);
	assert_int_equal(memory_add_rom(&memory, LAYOUT_FLASH_VARIABLES_BASE, LAYOUT_FLASH_BANK_SIZE, &error), 0);
	assert_int_equal(flash_init(&flash, &memory, file, "m", &line, &error), 0);
	flash.device.ops->reset(&flash.device);
	flash.patience_ms = wait_scaled(LONG_MS);
	assert_int_equal(flash_lock(&flash, LONG_MS, &error), 0);
}

static void end(void)
{
	flash.device.ops->quiesce(&flash.device);
	flash.device.ops->destroy(&flash.device);
	memory_destroy(&memory);
}

static int set_up(void **state)
{
	(void)state;
	alarm(wait_scaled(LIMIT_S));
	begin(path);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	end();
	unlink(path);
	alarm(0);
	return 0;
}

static void start(void)
{
	flash.device.ops->start(&flash.device);
}

static void store(uint64_t offset, uint32_t value)
{
	lock_take(&flash.device.lock);
	flash.device.ops->write(&flash.device, offset, 4, value);
	lock_drop(&flash.device.lock);
}

static void erase(uint64_t offset)
{
	store(offset, 0x00200020);
	store(offset, 0x00d000d0);
	store(offset, 0x00ff00ff);
}

static void write_word(uint64_t offset, uint32_t value)
{
	store(offset, 0x00400040);
	store(offset, value);
	store(offset, 0x00ff00ff);
}

/* What the file has at an offset; it is as long as the flash. */
static uint32_t kept(size_t offset)
{
	uint32_t value;
	void *data;
	size_t size;

	assert_int_equal(file_read(path, &data, &size, &error), 0);
	assert_int_equal(size, 64 << 20);
	memcpy(&value, (uint8_t *)data + offset, sizeof(value));
	free(data);
	return value;
}

static void test_shown(void **state)
{
	(void)state;
	start();
	assert_int_equal(shows, 0);
	store(0, 0x00700070);
	assert_false(shown);
	store(0, 0x00500050);
	store(0, 0x00400040);
	store(0, 0);
	assert_int_equal(shows, 1);
	store(0, 0x00ff00ff);
	assert_true(shown);
	/* A reset in the middle shows at the next start. */
	store(0, 0x00200020);
	flash.device.ops->quiesce(&flash.device);
	flash.device.ops->reset(&flash.device);
	start();
	assert_true(shown);
}

/* The guest reads it, and neither it nor a device in its name writes it. */
static void test_rom(void **state)
{
	static uint64_t dirty[(LAYOUT_RAM_MIN + LAYOUT_FLASH_BANK_SIZE) / 4096 / 64];

	(void)state;
	assert_null(memory_span(&memory, LAYOUT_FLASH_VARIABLES_BASE, 4));
	assert_false(memory_write(&memory, LAYOUT_FLASH_VARIABLES_BASE, "x", 1));
	start();
	erase(0x40000);
	memory_take_dirty(&memory, dirty);
	assert_true(dirty[LAYOUT_RAM_MIN / 4096 / 64 + 1] == UINT64_MAX);
	assert_true(dirty[LAYOUT_RAM_MIN / 4096 / 64] == 0);
}

/* Bytes of the file. */
static off_t length_of(const char *file)
{
	struct stat facts;

	assert_int_equal(stat(file, &facts), 0);
	return facts.st_size;
}

/* Not before the tick, and no more than once for each change. */
static void test_kept(void **state)
{
	(void)state;
	start();
	erase(0);
	write_word(8, 0x11223344);
	assert_int_equal(length_of(path), 0);
	while (!length_of(path)) {
		flash.device.ops->tick(&flash.device);
		usleep(1000);
	}
	assert_int_equal(kept(8), 0x11223344);
	write_word(12, 0x55667788);
	flash.device.ops->quiesce(&flash.device);
	assert_int_equal(kept(12), 0x55667788);
	assert_int_equal(kept(0x40000), 0);
	unlink(path);
	flash.device.ops->tick(&flash.device);
	start();
	flash.device.ops->quiesce(&flash.device);
	assert_int_equal(access(path, F_OK), -1);
}

/* The permissions of a file that is there stay; what it had is what the guest finds. */
static void test_filled(void **state)
{
	static const uint8_t content[8192] = { [0] = 1, [5000] = 2 };
	struct stat facts;
	FILE *file = fopen(path, "w");

	(void)state;
	assert_non_null(file);
	assert_int_equal(fchmod(fileno(file), 0640), 0);
	fclose(file);
	flash_fill(&flash, content, 5001);
	assert_int_equal(flash.device.ops->read(&flash.device, 5000, 1), 2);
	start();
	write_word(0, 0);
	flash.device.ops->quiesce(&flash.device);
	assert_int_equal(kept(5000), 2);
	assert_int_equal(kept(0), 0);
	assert_int_equal(stat(path, &facts), 0);
	assert_int_equal(facts.st_mode & 0777, 0640);
}

static void test_moves(void **state)
{
	struct buffer saved = { 0 };
	struct cursor cursor;
	uint8_t block[64];

	(void)state;
	start();
	erase(0);
	write_word(4, 0xabcdef01);
	store(0, 0x00700070);
	flash.device.ops->quiesce(&flash.device);
	flash.device.ops->save(&flash.device, &saved);
	memcpy(block, flash.cfi.bytes, sizeof(block));
	end();
	unlink(path);
	begin(path);
	/* Its pages come first. */
	memcpy(flash.cfi.bytes, block, sizeof(block));
	cursor = cursor_make(saved.data, saved.size);
	assert_int_equal(flash.device.ops->load(&flash.device, &cursor, 1), 0);
	assert_true(cursor_finish(&cursor));
	assert_true(shown);
	/* One that is given up again has written nothing. */
	flash.device.ops->quiesce(&flash.device);
	assert_int_equal(length_of(path), 0);
	start();
	assert_false(shown);
	flash.device.ops->quiesce(&flash.device);
	assert_int_equal(kept(4), 0xabcdef01);
	buffer_free(&saved);
}

static void test_damaged(void **state)
{
	const uint32_t used = LAYOUT_FLASH_BANK_SIZE + 1;
	struct buffer saved = { 0 };
	struct cursor cursor;

	(void)state;
	flash.device.ops->save(&flash.device, &saved);
	memcpy(saved.data, &used, sizeof(used));
	cursor = cursor_make(saved.data, saved.size);
	assert_int_equal(flash.device.ops->load(&flash.device, &cursor, 1), -EPROTO);
	buffer_free(&saved);
}

static void test_bad_file(void **state)
{
	struct flash other;

	(void)state;
	assert_int_equal(flash_init(&other, &memory, folder, "m", &line, &error), -EINVAL);
	assert_non_null(strstr(error.text, "is not a file"));
	other.device.ops->destroy(&other.device);
	assert_int_equal(flash_init(&other, &memory, "/nowhere/vars", "m", &line, &error), -ENOENT);
	assert_string_equal(error.text, "cannot write /nowhere/vars: its folder does not allow a new file (No such "
					"file or directory)");
	other.device.ops->destroy(&other.device);
}

/* The guest goes on, and the file is written once that is possible again. */
static void test_unwritable(void **state)
{
	char away[80];

	(void)state;
	snprintf(away, sizeof(away), "%s.away", folder);
	start();
	erase(0);
	assert_int_equal(rename(folder, away), 0);
	flash.device.ops->quiesce(&flash.device);
	assert_int_equal(flash_settled(&flash, &error), 0);
	assert_int_equal(rename(away, folder), 0);
	assert_int_equal(length_of(path), 0);
	start();
	flash.device.ops->quiesce(&flash.device);
	assert_int_equal(kept(0), 0xffffffff);
}

/* ---- Whose the file is ---- */

static void test_in_use(void **state)
{
	struct flash other;
	char sentence[160];

	(void)state;
	snprintf(sentence, sizeof(sentence), "the firmware's variables: %s is in use: another process has it locked",
		 path);
	assert_int_equal(flash_init(&other, &memory, path, "other", &line, &error), 0);
	assert_int_equal(flash_lock(&other, LONG_MS, &error), -EBUSY);
	assert_string_equal(error.text, sentence);
	start();
	erase(0);
	flash.device.ops->quiesce(&flash.device);
	assert_int_equal(kept(0), 0xffffffff);
	assert_int_equal(flash_lock(&other, LONG_MS, &error), -EBUSY);
	assert_int_equal(flash_unlock(&flash, LONG_MS, &error), 0);
	assert_int_equal(flash_lock(&other, LONG_MS, &error), 0);
	assert_int_equal(flash_lock(&flash, LONG_MS, &error), -EBUSY);
	other.device.ops->destroy(&other.device);
}

/* ---- A file system that does not answer ---- */

static void change_late(void)
{
	set_answers(false);
	__atomic_store_n(&asked, 0, __ATOMIC_SEQ_CST);
	__atomic_store_n(&answered, 0, __ATOMIC_SEQ_CST);
	flash.file->write = write_late;
	flash.patience_ms = SHORT_MS;
	start();
	erase(0);
	flash.device.ops->tick(&flash.device);
	while (!__atomic_load_n(&asked, __ATOMIC_SEQ_CST))
		usleep(1000);
	write_word(8, 0x11223344);
}

/* The machine must not go on elsewhere, nor the file to somebody else, before what is under way is done. */
static void test_late(void **state)
{
	(void)state;
	change_late();
	flash.device.ops->quiesce(&flash.device);
	assert_int_equal(flash_settled(&flash, &error), -ETIMEDOUT);
	assert_non_null(strstr(error.text, "does not answer, and has not finished what the guest changed"));
	assert_int_equal(flash_unlock(&flash, SHORT_MS, &error), -ETIMEDOUT);
	assert_int_equal(other_locks(path), -EBUSY);
	set_answers(true);
	while (other_locks(path))
		usleep(1000);
	assert_int_equal(kept(8), 0x11223344);
	flash.device.ops->quiesce(&flash.device);
	assert_int_equal(flash_settled(&flash, &error), 0);
}

/* Nobody waits for it at the end, and what could not be written by then is not written behind everybody's back. */
static void test_end_is_not_late(void **state)
{
	(void)state;
	change_late();
	end();
	set_answers(true);
	while (other_locks(path))
		usleep(1000);
	assert_int_equal(__atomic_load_n(&answered, __ATOMIC_SEQ_CST), 1);
	assert_int_equal(kept(0), 0xffffffff);
	assert_int_equal(kept(8), 0xffffffff);
	begin(path);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(test_shown),
		TEST(test_rom),
		TEST(test_kept),
		TEST(test_filled),
		TEST(test_moves),
		TEST(test_damaged),
		TEST(test_bad_file),
		TEST(test_unwritable),
		TEST(test_in_use),
		TEST(test_late),
		TEST(test_end_is_not_late),
	};

	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
