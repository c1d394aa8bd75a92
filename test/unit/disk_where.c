/* SPDX-License-Identifier: BSD-2-Clause */
/* Names of disks: which are servers, and which mean the same everywhere. */
#include "unit.h"

#include "dev/disk/where.h"

#include <string.h>

static void test_remote(void **state)
{
	static const char *const remote[] = { "nbd://store",	"nbds://store/a", "nbd+unix:///a?socket=/run/a",
					      "NBD://store/a",	"Nbds://[::1]/",  "nbds+unix://?socket=/run/a",
					      "NBDS+UNIX:///a", "nbd:///" };
	static const char *const other[] = { "",       "nbd",	   "nbd:/store", "/nbd://store", "nbd+ssh://store",
					     "nbd //", "nbdx://a", "nb://a",	 "ftp://store",	 "://" };

	(void)state;
	for (size_t n = 0; n < ARRAY_SIZE(remote); n++)
		if (!where_is_remote(remote[n]) || !where_is_uri(remote[n]))
			fail_msg("%s", remote[n]);
	for (size_t n = 0; n < ARRAY_SIZE(other); n++)
		if (where_is_remote(other[n]))
			fail_msg("%s", other[n]);
	assert_true(where_is_uri("ftp://store") && where_is_uri("nbd+ssh://store"));
	assert_false(where_is_uri("/nbd://store") || where_is_uri("nbd:/store") || where_is_uri("://"));
}

static void test_shared(void **state)
{
	static const char *const shared[] = {
		"nbd://store/a",	   "nbds://user@store.example:10810/a", "NBD://10.0.0.1/",
		"nbd://128.0.0.1",	   "nbd://[2001:db8::1]:10809/a",	"nbd://localhost.example/a",
		"nbd://notlocalhost/a",	   "nbd://127.0.0.1@store/a",		"nbd://[::ffff:10.0.0.1]/",
		"nbd://store/localhost?a", "nbd://store?at@localhost",
	};

	(void)state;
	for (size_t n = 0; n < ARRAY_SIZE(shared); n++)
		if (!where_is_shared(shared[n]))
			fail_msg("%s", shared[n]);
}

static void test_local(void **state)
{
	static const char *const local[] = {
		"/srv/disk",
		"/dev/sda",
		"nbd+unix:///a?socket=/run/a",
		"nbds+unix://store/a?socket=/run/a",
		"nbd:///a",
		"nbd://:10809/a",
		"nbd://user@/a",
		"nbd://localhost",
		"nbd://LocalHost:10809/a",
		"nbd://localhost./a",
		"nbd://a.localhost/a",
		"nbds://user@127.0.0.1/a",
		"nbd://127.255.1.2:1",
		"nbd://127.1/",
		"nbd://2130706433/",
		"nbd://0x7f000001/",
		"nbd://0/",
		"nbd://0.0.0.0/",
		"nbd://[::1]/a",
		"nbd://[::]:10809/a",
		"nbd://[0:0:0:0:0:0:0:1]",
		"nbd://[::ffff:127.0.0.1]/",
		"nbd://[::127.0.0.1]/",
		"nbd://[fe80::1%25eth0]/",
		"nbd://[fe80::1]/",
		"nbd://store@localhost/a",
		"nbd://loc%61lhost/a",
		"nbd://localhost?store",
		"nbd://localhost#store",
		"ftp://store/a",
	};
	char endless[4096] = "nbd://";

	(void)state;
	for (size_t n = 0; n < ARRAY_SIZE(local); n++)
		if (where_is_shared(local[n]))
			fail_msg("%s", local[n]);
	memset(endless + 6, 'a', sizeof(endless) - 7);
	assert_false(where_is_shared(endless));
}

/* What a sandbox lets the connection have. */
static void test_port(void **state)
{
	static const struct {
		const char *where;
		uint16_t port;
	} cases[] = {
		{ "nbd://store/a", 10809 },   { "nbd://store:7/a", 7 },	    { "NBDS://user@store:65535", 65535 },
		{ "nbd://store:", 10809 },    { "nbd://[::1]/a", 10809 },   { "nbd://[fe80::1]:99/a", 99 },
		{ "nbd://store?a:8", 10809 }, { "nbd://store:65536/a", 0 }, { "nbd+unix:///a?socket=/run/a:3", 0 },
		{ "/srv/disk:4", 0 },
	};

	(void)state;
	for (size_t n = 0; n < ARRAY_SIZE(cases); n++)
		if (where_port(cases[n].where) != cases[n].port)
			fail_msg("%s: %u", cases[n].where, where_port(cases[n].where));
}

static void test_keys(void **state)
{
	const char *place = "nbds://store/a?tls-certificates=/etc/pki&x=1&TLS-psk-file=/a%20b%2Fc#d",
		   *none = "nbd://a/b?c=d";
	const char *bad = "nbds://store/?tls-psk-file=", *odd = "nbds://store/?tls-psk-file=/a%2";
	char path[32], small[5];

	(void)state;
	assert_true(where_keys(&place, path, sizeof(path)));
	assert_string_equal(path, "/etc/pki");
	assert_true(where_keys(&place, path, sizeof(path)));
	assert_string_equal(path, "/a b/c");
	assert_false(where_keys(&place, path, sizeof(path)));
	assert_false(where_keys(&none, path, sizeof(path)));
	assert_false(where_keys(&bad, path, sizeof(path)));
	assert_true(where_keys(&odd, path, sizeof(path)));
	assert_string_equal(path, "/a%2");
	place = "nbds://store/?tls-psk-file=/abcd";
	assert_false(where_keys(&place, small, sizeof(small)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_port),   cmocka_unit_test(test_keys),  cmocka_unit_test(test_remote),
		cmocka_unit_test(test_shared), cmocka_unit_test(test_local),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
