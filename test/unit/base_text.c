/* SPDX-License-Identifier: BSD-2-Clause */
/* Text that comes from elsewhere: plain, with control characters, and what is no UTF-8. */
#include "unit.h"

#include "base/text.h"

#include <string.h>

static void test_plain(void **state)
{
	static const char *const texts[] = {
		"",
		" ",
		"a",
		"~",
		"/srv/Image",
		"\xc2\xa0",
		"\xc3\xa9",
		"\xdf\xbf",
		"\xe0\xa0\x80",
		"\xed\x9f\xbf",
		"\xee\x80\x80",
		"\xef\xbf\xbf",
		"\xf0\x90\x80\x80",
		"\xf4\x8f\xbf\xbf",
		"a\xe2\x82\xac\x62",
	};

	(void)state;
	for (size_t n = 0; n < ARRAY_SIZE(texts); n++)
		if (!text_is_plain(texts[n]))
			fail_msg("text %zu is plain", n);
}

static void test_not_plain(void **state)
{
	static const char *const texts[] = {
		"\x01",
		"a\nb",
		"\t",
		"\x1b[2J",
		"\x7f",
		"\xc2\x80",
		"\xc2\x9b\x32J",
		"\xc2\x9f", /* control characters */
		"\x80",
		"\xbf",
		"\xc2",
		"a\xe2\x82",
		"\xf0\x90\x80",
		"\xc3(",
		"\xe2\x28\xa1",
		"\xf8\x88\x80\x80\x80",
		"\xff",
		"\xfe", /* no characters */
		"\xc0\x80",
		"\xc1\xbf",
		"\xe0\x9f\xbf",
		"\xf0\x8f\xbf\xbf", /* not the shortest form */
		"\xed\xa0\x80",
		"\xed\xbf\xbf",
		"\xf4\x90\x80\x80",
		"\xf7\xbf\xbf\xbf",
	};

	(void)state;
	for (size_t n = 0; n < ARRAY_SIZE(texts); n++)
		if (text_is_plain(texts[n]))
			fail_msg("text %zu is not plain", n);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_plain),
		cmocka_unit_test(test_not_plain),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
