/* SPDX-License-Identifier: BSD-2-Clause */
/* A file that is replaced in one step: whose it is, what its name leads to, and what is left of a write that failed. */
#include "unit.h"
#include "../wait_scale.h"

#include "base/file.h"
#include "base/replace.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LIMIT_S 60
#define ROUNDS 50u

static char folder[] = "/tmp/seaclock-replace-XXXXXX";
static struct replace file, other;
static struct error error;

static int make_folder(void **state)
{
	(void)state;
	return mkdtemp(folder) && !chdir(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
	(void)state;
	return chdir("/") || rmdir(folder);
}

static int set_up(void **state)
{
	(void)state;
	alarm(wait_scaled(LIMIT_S));
	return replace_init(&file, "a", &error) || replace_init(&other, "a", &error);
}

/* All that a test has left. */
static int tear_down(void **state)
{
	DIR *all = opendir(".");
	struct dirent *entry;

	(void)state;
	replace_unlock(&file);
	replace_unlock(&other);
	while (all && (entry = readdir(all)))
		if (entry->d_name[0] != '.')
			unlink(entry->d_name);
	alarm(0);
	return !all || closedir(all);
}

static void make(const char *name, mode_t mode)
{
	int fd = open(name, O_CREAT | O_WRONLY | O_CLOEXEC, mode);

	assert_true(fd >= 0);
	close(fd);
}

static void expect_content(const char *name, const char *content, size_t size)
{
	void *data;
	size_t found;

	assert_int_equal(file_read(name, &data, &found, &error), 0);
	assert_int_equal(found, size);
	assert_memory_equal(data, content, size);
	free(data);
}

static unsigned int count_files(void)
{
	DIR *all = opendir(".");
	struct dirent *entry;
	unsigned int count = 0;

	assert_non_null(all);
	while ((entry = readdir(all)))
		count += entry->d_name[0] != '.';
	closedir(all);
	return count;
}

static void test_replaced(void **state)
{
	struct stat facts;

	(void)state;
	make("a", 0640);
	assert_int_equal(chmod("a", 0640), 0);
	assert_int_equal(replace_lock(&file, &error), 0);
	assert_int_equal(replace_write(&file, "abc", 3, 5, &error), 0);
	expect_content("a", "abc\0\0", 5);
	assert_int_equal(stat("a", &facts), 0);
	assert_int_equal(facts.st_mode & 0777, 0640);
	assert_int_equal(count_files(), 1);
}

static void test_one_owner(void **state)
{
	(void)state;
	assert_int_equal(replace_lock(&file, &error), 0);
	expect_content("a", "", 0);
	assert_int_equal(replace_lock(&other, &error), -EBUSY);
	assert_string_equal(error.text, "a is in use: another process has it locked");
	/* Nor of the new file. */
	assert_int_equal(replace_write(&file, "x", 1, 1, &error), 0);
	assert_int_equal(replace_lock(&other, &error), -EBUSY);
	replace_unlock(&file);
	assert_int_equal(replace_lock(&other, &error), 0);
}

/* Adds one to the number in the file; false if it cannot be read or written. */
static bool count_once(struct replace *mine)
{
	unsigned int number = 0;
	struct error reason;
	void *data = NULL;
	size_t size;

	if (file_read("a", &data, &size, &reason))
		return false;
	if (size)
		memcpy(&number, data, sizeof(number));
	free(data);
	number++;
	return !replace_write(mine, &number, sizeof(number), sizeof(number), &reason);
}

/* Whenever it can have it, and as often as that is right. */
static void *count_up(void *context)
{
	struct error reason;
	bool right = true;

	for (unsigned int done = 0; done < ROUNDS && right;) {
		if (replace_lock(context, &reason))
			continue;
		right = count_once(context);
		replace_unlock(context);
		done++;
	}
	return NULL;
}

/* Whoever has opened a file that is being replaced does not take it for the new one. */
static void test_takes_turns(void **state)
{
	const unsigned int sum = 2 * ROUNDS;
	pthread_t thread;

	(void)state;
	assert_int_equal(pthread_create(&thread, NULL, count_up, &other), 0);
	count_up(&file);
	pthread_join(thread, NULL);
	expect_content("a", (const char *)&sum, sizeof(sum));
}

/* A link stays one, and what it leads to is what is locked and replaced. */
static void test_link(void **state)
{
	struct stat facts;

	(void)state;
	make("a", 0600);
	assert_int_equal(symlink("a", "link"), 0);
	assert_int_equal(replace_init(&file, "link", &error), 0);
	assert_int_equal(replace_lock(&file, &error), 0);
	assert_int_equal(replace_lock(&other, &error), -EBUSY);
	assert_int_equal(replace_write(&file, "abc", 3, 3, &error), 0);
	expect_content("a", "abc", 3);
	assert_int_equal(lstat("link", &facts), 0);
	assert_true(S_ISLNK(facts.st_mode));
}

static void test_link_to_nothing(void **state)
{
	(void)state;
	assert_int_equal(symlink("nowhere", "link"), 0);
	assert_int_equal(replace_init(&file, "link", &error), -ENOENT);
	assert_string_equal(error.text, "link is a link to a file that is not there: make that, or name it");
}

/* A process that was killed has left its new file: the next owner removes it, and no other file that is there. */
static void test_left_behind(void **state)
{
	(void)state;
	make("a.seaclock-new", 0600);
	assert_int_equal(replace_lock(&file, &error), 0);
	assert_int_equal(count_files(), 1);
	make("victim", 0600);
	assert_int_equal(symlink("victim", "a.seaclock-new"), 0);
	assert_int_equal(replace_write(&file, "abc", 3, 3, &error), 0);
	expect_content("victim", "", 0);
	expect_content("a", "abc", 3);
	assert_int_equal(count_files(), 2);
}

/* The old content stays, and the file is still ours. */
static void test_unwritable(void **state)
{
	(void)state;
	assert_int_equal(replace_lock(&file, &error), 0);
	assert_int_equal(replace_write(&file, "abc", 3, 3, &error), 0);
	assert_int_equal(mkdir("a.seaclock-new", 0700), 0);
	assert_int_equal(replace_write(&file, "x", 1, 1, &error), -EEXIST);
	assert_string_equal(error.text, "cannot write a (File exists)");
	assert_int_equal(rmdir("a.seaclock-new"), 0);
	expect_content("a", "abc", 3);
	assert_int_equal(replace_lock(&other, &error), -EBUSY);
	assert_int_equal(replace_write(&file, "x", 1, 1, &error), 0);
	expect_content("a", "x", 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(test_replaced),	    TEST(test_one_owner),   TEST(test_takes_turns), TEST(test_link),
		TEST(test_link_to_nothing), TEST(test_left_behind), TEST(test_unwritable),
	};

	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
