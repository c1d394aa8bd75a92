/* SPDX-License-Identifier: BSD-2-Clause */
/* Network devices on the command line: good texts, and bad ones with their sentence. */
#include "unit.h"

#include "command/net.h"

#include <errno.h>
#include <string.h>

static struct config_net net;
static struct error error;

static void test_good(void **state)
{
	static const uint8_t mac[MAC_SIZE] = { 2, 0, 0, 0, 0, 1 };

	(void)state;
	assert_int_equal(net_parse("tap=tap0", &net, &error), 0);
	assert_string_equal(net.where, "tap=tap0");
	assert_false(mac_is_said(net.mac));
	assert_int_equal(net_parse("passt,mac=02:00:00:00:00:01", &net, &error), 0);
	assert_string_equal(net.where, "passt");
	assert_memory_equal(net.mac, mac, sizeof(mac));
}

static void test_bad(void **state)
{
	static const struct {
		const char *text, *sentence;
	} cases[] = {
		{ "", "--net takes tap=NAME, tap=fd:N, passt or passt=PATH with a path from the root, not ``" },
		{ "tap", "not `tap`" },
		{ "passt=run", "not `passt=run`" },
		{ "passt,", "--net takes mac=ADDRESS, such as 02:00:00:00:00:01, not ``" },
		{ "passt,mac=", "not `mac=`" },
		{ "passt,mac=00:00:00:00:00:00", "not `mac=00:00:00:00:00:00`" },
		{ "passt,mac=02:00:00:00:00:01,mac=02:00:00:00:00:01", "not `mac=02:00:00:00:00:01,mac" },
		{ "passt,mtu=1500", "not `mtu=1500`" },
		{ "passt,mac=01:00:00:00:00:01", "--net: mac takes the address of one interface" },
		{ "passt=/a\n", "--net: where takes text in UTF-8 without control characters" },
	};

	(void)state;
	for (size_t n = 0; n < ARRAY_SIZE(cases); n++) {
		assert_int_equal(net_parse(cases[n].text, &net, &error), -EINVAL);
		if (!strstr(error.text, cases[n].sentence))
			fail_msg("%s: instead of \"%s\" it says: %s", cases[n].text, cases[n].sentence, error.text);
	}
}

static void test_places(void **state)
{
	static const char *const bad[] = { "",	       "tap=a", "=tap=a", "4=tap=a", "00=tap=a",
					   "-1=tap=a", "0=",	"0=user", "0tap=a" };
	char where[CONFIG_PLUG_SIZE], text[2 * CONFIG_PLUG_SIZE];
	uint32_t number;

	(void)state;
	assert_int_equal(net_parse_place("3=tap=fd:5", &number, where, &error), 0);
	assert_int_equal(number, 3);
	assert_string_equal(where, "tap=fd:5");
	for (size_t n = 0; n < ARRAY_SIZE(bad); n++)
		if (net_parse_place(bad[n], &number, where, &error) != -EINVAL)
			fail_msg("`%s` is taken", bad[n]);
	memset(text, '/', sizeof(text));
	memcpy(text, "0=passt=", strlen("0=passt="));
	text[CONFIG_PLUG_SIZE + 2] = '\0';
	assert_int_equal(net_parse_place(text, &number, where, &error), -ENAMETOOLONG);
	text[CONFIG_PLUG_SIZE + 1] = '\0';
	assert_int_equal(net_parse_place(text, &number, where, &error), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_bad),
		cmocka_unit_test(test_places),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
