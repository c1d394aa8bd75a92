/* SPDX-License-Identifier: BSD-2-Clause */
/* The file `peers`: what it can say, what is refused with the line, and who may send what. */
#include "unit.h"

#include "migrate/peers.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static struct peers peers;
static struct error error;

static int parse(const char *text)
{
	return peers_parse(text, strlen(text), "peers", &peers, &error);
}

static void test_lines(void **state)
{
	(void)state;
	assert_int_equal(parse("# who\n\n  altra.example\tweb-*,db  16384 # the small ones\r\n10.0.0.7 * 1"), 0);
	assert_int_equal(peers.count, 2);
	assert_string_equal(peers.peer[0].host, "altra.example");
	assert_string_equal(peers.peer[0].names, "web-*,db");
	assert_int_equal(peers.peer[0].memory_mib, 16384);
	assert_string_equal(peers.peer[1].host, "10.0.0.7");
	assert_string_equal(peers_find(&peers, "ALTRA.example"), "altra.example");
	assert_null(peers_find(&peers, "altra"));
	assert_null(peers_find(&peers, "10.0.0.70"));
}

static void test_faults(void **state)
{
	static const struct {
		const char *text, *sentence;
	} cases[] = {
		{ "", "peers names no host" },
		{ "# nobody\n", "peers names no host" },
		{ "altra * 1\ngr&ce * 1", "line 2 of peers: a host is" },
		{ "*.example * 1", "line 1 of peers: a host is" },
		{ "\naltra", "line 2 of peers: behind the host come" },
		{ "altra # * 1", "line 1 of peers: behind the host come" },
		{ "altra ,a 1", "line 1 of peers: behind the host come" },
		{ "altra a, 1", "line 1 of peers: behind the host come" },
		{ "altra a,,b 1", "line 1 of peers: behind the host come" },
		{ "altra a?b 1", "line 1 of peers: behind the host come" },
		{ "altra *", "line 1 of peers: behind the names comes" },
		{ "altra * 0", "line 1 of peers: behind the names comes" },
		{ "altra * 1G", "line 1 of peers: behind the names comes" },
		{ "altra * -1", "line 1 of peers: behind the names comes" },
		{ "altra * 1073741825", "line 1 of peers: behind the names comes" },
		{ "altra * 99999999999999999999", "line 1 of peers: behind the names comes" },
		{ "altra * 1 2", "line 1 of peers: behind the names comes" },
	};

	(void)state;
	for (size_t n = 0; n < ARRAY_SIZE(cases); n++) {
		if (parse(cases[n].text) != -EBADMSG)
			fail_msg("`%s` was taken", cases[n].text);
		if (!strstr(error.text, cases[n].sentence))
			fail_msg("`%s`: %s", cases[n].text, error.text);
	}
	assert_int_equal(peers_parse("altra * 1\0", 10, "peers", &peers, &error), -EBADMSG);
	assert_int_equal(parse("altra * 1073741824"), 0);
}

/* A long word, many lines, much of both. */
static void test_bounds(void **state)
{
	static char text[PEERS_FILE_MAX + 2];
	int length = 0;

	(void)state;
	memset(text, 'a', PEERS_HOST_SIZE);
	snprintf(text + PEERS_HOST_SIZE, 16, " * 1");
	assert_int_equal(parse(text), -EBADMSG);
	assert_int_equal(parse(text + 1), 0);
	for (uint32_t n = 0; n < PEERS_MAX; n++)
		length += snprintf(text + length, sizeof(text) - (size_t)length, "host%u * 1\n", n);
	assert_int_equal(parse(text), 0);
	snprintf(text + length, sizeof(text) - (size_t)length, "altra * 1\n");
	assert_int_equal(parse(text), -EBADMSG);
	assert_string_equal(error.text, "line 65 of peers: there can be 64 lines with a host");
	memset(text, '\n', sizeof(text) - 1);
	assert_int_equal(parse(text), -EBADMSG);
	assert_non_null(strstr(error.text, "no text of at most 65536 bytes"));
}

static void test_names(void **state)
{
	static const struct {
		const char *names, *name;
		bool allowed;
	} cases[] = {
		{ "*", "web", true },	      { "web", "web", true },	     { "web", "webs", false },
		{ "web", "we", false },	      { "web-*", "web-1", true },    { "web-*", "web-", true },
		{ "web-*", "web", false },    { "*-db", "a-db-db", true },   { "*-db", "a-db-", false },
		{ "a*b*c", "aXbYbZc", true }, { "a*b*c", "aXbYbZ", false },  { "a,b", "b", true },
		{ "a,b", "a,b", false },      { "x,web*", "website", true }, { "**", "w", true },
		{ "web", "WEB", false },
	};

	(void)state;
	for (size_t n = 0; n < ARRAY_SIZE(cases); n++) {
		char text[64];

		snprintf(text, sizeof(text), "altra %s 5", cases[n].names);
		assert_int_equal(parse(text), 0);
		if (peers_check_name(&peers, "altra", cases[n].name, &error) != (cases[n].allowed ? 0 : -EACCES))
			fail_msg("%s, %s", cases[n].names, cases[n].name);
	}
	assert_int_equal(peers_check_name(&peers, "grace", "web", &error), -EACCES);
	assert_string_equal(error.text,
			    "grace may send no machine named web here: the file `peers` of this receiver says so");
}

/* Each line is a permission of its own. */
static void test_memory(void **state)
{
	(void)state;
	assert_int_equal(parse("altra web-* 100\naltra web-big 200\ngrace * 1000"), 0);
	assert_int_equal(peers_check_memory(&peers, "altra", "web-1", 100ull << 20, &error), 0);
	assert_int_equal(peers_check_memory(&peers, "altra", "web-big", 200ull << 20, &error), 0);
	assert_int_equal(peers_check_memory(&peers, "altra", "web-1", (100ull << 20) + 1, &error), -EACCES);
	assert_int_equal(peers_check_memory(&peers, "altra", "web-1", 101ull << 20, &error), -EACCES);
	assert_string_equal(error.text, "web-1 has 101 MiB, and altra may send machines of up to 100 MiB under this "
					"name: the file `peers` of this receiver says so");
	assert_int_equal(peers_check_memory(&peers, "altra", "db", 1, &error), -EACCES);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lines), cmocka_unit_test(test_faults), cmocka_unit_test(test_bounds),
		cmocka_unit_test(test_names), cmocka_unit_test(test_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
