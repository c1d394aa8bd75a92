/* SPDX-License-Identifier: BSD-2-Clause */
/* The file that a machine is to be saved to: it takes its place, or what was there before is there again. */
#include "unit.h"
#include "broken_fixture.h"

#include "snapshot/draft.h"

#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define OLDER "older"
#define NEWER "newer"

static char folder[] = "/tmp/seaclock-draft-XXXXXX";
static char path[64];
static struct error error;

static int make_folder(void **state)
{
	(void)state;
	return mkdtemp(folder) && snprintf(path, sizeof(path), "%s/file", folder) > 0 ? 0 : -1;
}

static int remove_folder(void **state)
{
	(void)state;
	folder_clear(folder);
	return rmdir(folder);
}

static int clear_folder(void **state)
{
	(void)state;
	folder_clear(folder);
	return 0;
}

/* Saves this text; `broken` makes the last part of it fail, if it is not NULL. */
static int put_and(const char *text, int (*broken)(const struct draft *draft))
{
	struct draft draft;
	struct error left;
	int result = draft_make(&draft, path, &error);

	if (result)
		return result;
	if (broken && broken(&draft))
		return -ECHILD;
	if (write(draft.fd, text, strlen(text)) != (ssize_t)strlen(text))
		return -EIO;
	result = draft_place(&draft, &error);
	if (!result)
		draft_keep(&draft);
	else if (draft_withdraw(&draft, &left))
		error = left;
	return result;
}

static int put(const char *text)
{
	return put_and(text, NULL);
}

/* There is this, and nothing else. */
static void expect_only(const char *text)
{
	char found[16] = "";
	FILE *file = fopen(path, "re");

	assert_int_equal(folder_count(folder), !!text);
	assert_int_equal(!!file, !!text);
	if (!file)
		return;
	assert_non_null(fgets(found, sizeof(found), file));
	assert_string_equal(found, text);
	fclose(file);
}

static void test_replaces(void **state)
{
	struct stat facts;

	(void)state;
	assert_int_equal(put(OLDER), 0);
	expect_only(OLDER);
	assert_int_equal(put(NEWER), 0);
	expect_only(NEWER);
	assert_int_equal(stat(path, &facts), 0);
	assert_int_equal(facts.st_mode & 0777, 0600);
}

/* Called off before it has its name, and after. */
static void test_withdrawn(void **state)
{
	struct draft draft;

	(void)state;
	assert_int_equal(put(OLDER), 0);
	for (int placed = 0; placed < 2; placed++) {
		assert_int_equal(draft_make(&draft, path, &error), 0);
		if (placed)
			assert_int_equal(draft_place(&draft, &error), 0);
		assert_int_equal(draft_withdraw(&draft, &error), 0);
		expect_only(OLDER);
	}
}

/* It has its name, and the older file, which was there before, another one. */
static void place_over_older(struct draft *draft)
{
	assert_int_equal(put(OLDER), 0);
	assert_int_equal(draft_make(draft, path, &error), 0);
	assert_int_equal(draft_place(draft, &error), 0);
}

/* Somebody else has saved to that name meanwhile: that one stays. */
static void test_overtaken(void **state)
{
	struct draft draft;

	(void)state;
	place_over_older(&draft);
	assert_int_equal(put(NEWER), 0);
	assert_int_equal(draft_withdraw(&draft, &error), -ESTALE);
	assert_non_null(strstr(error.text, ": it is now file."));
	assert_int_equal(folder_count(folder), 2);
	unlink(draft.older);
	expect_only(NEWER);
}

/* Nobody knows whether it is whole: both are there. */
static void test_left_alone(void **state)
{
	struct draft draft;

	(void)state;
	place_over_older(&draft);
	draft_close(&draft);
	assert_int_equal(folder_count(folder), 2);
	assert_int_equal(rename(draft.older, path), 0);
	expect_only(OLDER);
}

/* As somebody who may write into the folder and not read it. */
static int put_as_stranger(void)
{
	if (!getuid() && (setgroups(0, NULL) || setgid(65534) || setuid(65534)))
		return 2;
	return put(NEWER) ? 1 : 0;
}

static void test_drop_box(void **state)
{
	struct stat facts;

	(void)state;
	assert_int_equal(put(OLDER), 0);
	assert_int_equal(stat(path, &facts), 0);
	if (!getuid()) {
		assert_int_equal(chown(folder, 65534, 65534), 0);
		assert_int_equal(chown(path, 65534, 65534), 0);
	}
	assert_int_equal(chmod(folder, 0300), 0);
	assert_int_equal(in_child(put_as_stranger), 0);
	assert_int_equal(chmod(folder, 0700), 0);
	assert_int_equal(chown(folder, getuid(), getgid()), 0);
	assert_int_equal(chown(path, getuid(), getgid()), 0);
	expect_only(NEWER);
}

/* What rename(3) and unlink(3) call. */
#ifdef SYS_rename
#define CALL_RENAME SYS_rename
#define CALL_UNLINK SYS_unlink
#else
#define CALL_RENAME SYS_renameat
#define CALL_UNLINK SYS_unlinkat
#endif

static int folder_breaks(const struct draft *draft)
{
	return fsync_break(draft->folder);
}

static int put_to_broken_folder(void)
{
	return put_and(NEWER, folder_breaks) == -EIO ? 1 : 0;
}

/* The file system cannot exchange two files. */
static int put_without_exchange(void)
{
	return call_break(SYS_renameat2, EINVAL) ? 2 : put(NEWER) ? 3 : 1;
}

static int put_to_broken_folder_without_exchange(void)
{
	return call_break(SYS_renameat2, EINVAL) ? 2 : put_to_broken_folder();
}

/* The new file stays, and the sentence must name it. */
static int expect_left(int written)
{
	return written == 1 && strstr(error.text, path) && strstr(error.text, "is no saved machine") ? 1 : 4;
}

static int put_and_not_rename_back(void)
{
	return call_break(CALL_RENAME, EPERM) ? 2 : expect_left(put_to_broken_folder());
}

static int put_and_not_remove(void)
{
	return call_break(CALL_UNLINK, EPERM) ? 2 : expect_left(put_to_broken_folder());
}

/* The disk fails when the file is in its place already: what was there before is there again. */
static void test_folder_fails(void **state)
{
	(void)state;
	assert_int_equal(put(OLDER), 0);
	assert_int_equal(in_child(put_to_broken_folder), 1);
	expect_only(OLDER);
	assert_int_equal(in_child(put_to_broken_folder_without_exchange), 1);
	expect_only(OLDER);
	unlink(path);
	assert_int_equal(in_child(put_to_broken_folder), 1);
	expect_only(NULL);
	assert_int_equal(in_child(put_to_broken_folder_without_exchange), 1);
	expect_only(NULL);
}

static void test_without_exchange(void **state)
{
	(void)state;
	assert_int_equal(in_child(put_without_exchange), 1);
	expect_only(NEWER);
	assert_int_equal(put(OLDER), 0);
	assert_int_equal(in_child(put_without_exchange), 1);
	expect_only(NEWER);
}

/* Nor can what was there before be brought back. */
static void test_not_taken_back(void **state)
{
	(void)state;
	assert_int_equal(in_child(put_and_not_remove), 1);
	expect_only(NEWER);
	assert_int_equal(put(OLDER), 0);
	assert_int_equal(in_child(put_and_not_rename_back), 1);
	/* The older file is not lost. */
	assert_int_equal(folder_count(folder), 2);
}

static void test_bad_paths(void **state)
{
	struct draft draft;
	char longest[PATH_MAX + 10];

	(void)state;
	memset(longest, 'x', sizeof(longest));
	longest[0] = '/';
	longest[sizeof(longest) - 1] = '\0';
	assert_int_equal(draft_make(&draft, "/none/of/this", &error), -ENOENT);
	assert_int_equal(draft_make(&draft, folder, &error), -EEXIST);
	assert_int_equal(draft_make(&draft, "/dev/full", &error), -EEXIST);
	assert_int_equal(draft_make(&draft, longest, &error), -ENAMETOOLONG);
	longest[PATH_MAX - 8] = '\0';
	assert_int_equal(draft_make(&draft, longest, &error), -ENAMETOOLONG);
}

#define TEST(name) cmocka_unit_test_setup(name, clear_folder)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(test_replaces),	     TEST(test_withdrawn),	TEST(test_left_alone),
		TEST(test_overtaken),	     TEST(test_drop_box),	TEST(test_folder_fails),
		TEST(test_without_exchange), TEST(test_not_taken_back), TEST(test_bad_paths),
	};

	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
