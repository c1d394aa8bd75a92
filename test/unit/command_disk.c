/* SPDX-License-Identifier: BSD-2-Clause */
/* Disks on the command line: good texts, and bad ones with their sentence. */
#include "unit.h"

#include "command/disk.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static struct config_disk disk;
static struct error error;

static void expect(const char *text, const char *where, const char *serial, bool readonly, uint32_t reconnect_s)
{
	if (disk_parse(text, &disk, &error))
		fail_msg("%s: %s", text, error.text);
	assert_string_equal(disk.where, where);
	assert_string_equal(disk.serial, serial);
	assert_int_equal(disk.readonly, readonly);
	assert_int_equal(disk.reconnect_s, reconnect_s);
}

static void test_good(void **state)
{
	char folder[PATH_MAX], path[PATH_MAX + 16];

	(void)state;
	expect("/srv/web", "/srv/web", "", false, 60);
	expect("/srv/web,readonly", "/srv/web", "", true, 60);
	expect("/srv/a,,b,,,,c,serial=A1,readonly", "/srv/a,b,,c", "A1", true, 60);
	expect("/a,serial=12345678901234567890", "/a", "12345678901234567890", false, 60);
	expect("/a,serial=a,,b", "/a", "a,b", false, 60);
	expect("nbd://store:10809/web,reconnect=0", "nbd://store:10809/web", "", false, 0);
	expect("nbd+unix:///web?socket=/run/a,reconnect=86400", "nbd+unix:///web?socket=/run/a", "", false, 86400);
	assert_non_null(getcwd(folder, sizeof(folder)));
	snprintf(path, sizeof(path), "%s/web.img", folder);
	expect("web.img,readonly", path, "", true, 60);
}

static void test_bad(void **state)
{
	static const struct {
		const char *text, *sentence;
	} cases[] = {
		{ "", "a path is empty" },
		{ ",readonly", "a path is empty" },
		{ "/a,", "takes readonly, serial=TEXT and reconnect=SECONDS, not ``" },
		{ "/a,b", "takes readonly, serial=TEXT and reconnect=SECONDS, not `b`" },
		{ "/a,readonly=1", "not `readonly=1`; a comma in the path is written twice" },
		{ "/a,serial=", "serial= of --disk takes 1 to 20 characters, not 0" },
		{ "/a,serial=123456789012345678901", "serial= of --disk takes 1 to 20 characters, not 21" },
		{ "/a,serial=a b", "--disk: serial takes up to 20 visible characters of ASCII" },
		{ "/a,reconnect=", "reconnect= of --disk takes a number from 0 to 86400, not ``" },
		{ "/a,reconnect=86401", "not `86401`" },
		{ "/a,reconnect=-1", "not `-1`" },
		{ "/a,reconnect=1x", "not `1x`" },
		{ "/a,reconnect=99999999999999999999", "not `99999999999999999999`" },
		{ "/a\n", "--disk: where takes text in UTF-8 without control characters" },
		{ "nbd://\xff", "--disk: where takes text in UTF-8 without control characters" },
	};

	(void)state;
	for (size_t n = 0; n < ARRAY_SIZE(cases); n++) {
		assert_int_equal(disk_parse(cases[n].text, &disk, &error), -EINVAL);
		if (!strstr(error.text, cases[n].sentence))
			fail_msg("%s: instead of \"%s\" it says: %s", cases[n].text, cases[n].sentence, error.text);
	}
}

static void test_long(void **state)
{
	char text[2 * CONFIG_PATH_SIZE];

	(void)state;
	memset(text, '/', sizeof(text));
	text[CONFIG_PATH_SIZE] = '\0';
	assert_int_equal(disk_parse(text, &disk, &error), -ENAMETOOLONG);
	assert_non_null(strstr(error.text, "has 1024 bytes; at most 1023 are possible"));
	memcpy(text, "nbd://", 6);
	assert_int_equal(disk_parse(text, &disk, &error), -ENAMETOOLONG);
	text[CONFIG_PATH_SIZE - 1] = '\0';
	expect(text, text, "", false, 60);
}

static void test_places(void **state)
{
	static const char *const bad[] = { "",	"/srv/web", "=",	"=/a",	"8=/a",	  "-1=/a",
					   "0", "1",	    "00000=/a", "x=/a", "0x1=/a", "1 =/a" };
	char where[CONFIG_PATH_SIZE];
	uint32_t number;

	(void)state;
	assert_int_equal(disk_parse_place("0=/srv/a,b=c", &number, where, &error), 0);
	assert_int_equal(number, 0);
	assert_string_equal(where, "/srv/a,b=c");
	assert_int_equal(disk_parse_place("7=nbd://store/web", &number, where, &error), 0);
	assert_int_equal(number, 7);
	assert_string_equal(where, "nbd://store/web");
	for (size_t n = 0; n < ARRAY_SIZE(bad); n++) {
		assert_int_equal(disk_parse_place(bad[n], &number, where, &error), -EINVAL);
		assert_non_null(strstr(error.text, "--disk takes N=PATH or N=URI here"));
	}
	assert_int_equal(disk_parse_place("1=", &number, where, &error), -EINVAL);
	assert_non_null(strstr(error.text, "a path is empty"));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_bad),
		cmocka_unit_test(test_long),
		cmocka_unit_test(test_places),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
