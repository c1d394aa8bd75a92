/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Migrations by TLS between two hosts, with keys that `seaclock keys` has made: they move, or each side says in one
 * sentence why not, and the guest has noticed nothing. And those without TLS: in clear, and within one host.
 */
#include "fixture/node.h"
#include "../fake/port.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define GUEST "guest"
#define YEARS_3 "94608000"

/* A host that only makes keys. */
static struct node home, altra, grace;
static struct process *monitor, *receiver;

static const char *folder_of(const char *host)
{
	return process_path("ca/%s", host);
}

static int keys(const char *verb, const char *host, const char *name)
{
	return node_command(&home, "keys", verb, "--ca", process_path("ca"), host, name, NULL);
}

static void keys_make(void)
{
	node_make(&home, "home", "hz=1000000000");
	assert_int_equal(keys("init", NULL, NULL), 0);
	assert_int_equal(keys("issue", "altra", NULL), 0);
	assert_int_equal(keys("issue", "grace", "127.0.0.1"), 0);
}

static void peers_write(const char *text)
{
	process_write(process_path("ca/grace/peers"), text, strlen(text));
}

static void receive(void)
{
	receiver = node_receive_with(&grace, "--tls", folder_of("grace"));
}

/* Both hosts have keys and the same rate. */
static void hosts_open(const char *of_altra, const char *of_grace)
{
	keys_make();
	peers_write("altra guest,web-* 64\n");
	node_make(&altra, "altra", of_altra);
	node_make(&grace, "grace", of_grace);
	monitor = node_run(&altra, GUEST, "guest=reference");
	node_runs_on(&altra, GUEST);
}

static int migrate(const char *first, const char *second)
{
	return node_command(&altra, "migrate", GUEST, grace.address, "--max-step", "100000", first, second, NULL);
}

static int migrate_by_tls(void)
{
	return migrate("--tls", folder_of("altra"));
}

/* The operator is told, and so is the receiver's log. */
static void expect_refused(int status, const char *words, const char *log)
{
	node_expect_refused(&altra, status, words);
	process_wait_text(receiver->errors, log, 1);
	node_runs_on(&altra, GUEST);
	assert_false(process_has_ended(receiver));
}

static bool last_is_plain(const struct node *node)
{
	json_t *status = node_status(node, GUEST);
	bool plain = !json_is_false(json_object_get(json_object_get(status, "last_migration"), "plain"));

	json_decref(status);
	return plain;
}

static bool is_settled(void *context)
{
	json_t *status = node_status(context, GUEST);
	bool settled = json_object_get(status, "last_migration");

	json_decref(status);
	return settled;
}

static void expect_moved(void)
{
	assert_int_equal(process_wait(monitor), NODE_MOVED);
	node_runs_on(&grace, GUEST);
	process_wait_until(is_settled, &grace, "the migration is settled");
}

/* ---- Keys ---- */

static unsigned int mode_of(const char *path)
{
	struct stat facts;

	assert_int_equal(stat(path, &facts), 0);
	return facts.st_mode & 0777;
}

static void test_keys(void **state)
{
	(void)state;
	node_make(&home, "home", "hz=1000000000");
	node_expect_refused(&home, keys("issue", "altra", NULL), "`seaclock keys init` makes one");
	assert_int_equal(keys("init", NULL, NULL), 0);
	assert_non_null(strstr(home.said, "its ca-key.pem stays there"));
	node_expect_refused(&home, keys("init", NULL, NULL), "there is an authority in ");
	assert_int_equal(keys("issue", "altra", "10.0.0.7"), 0);
	assert_non_null(strstr(home.said, "move its files to /etc/seaclock/tls there"));
	assert_int_equal(mode_of(process_path("ca/ca-key.pem")), 0600);
	assert_int_equal(mode_of(process_path("ca/altra/key.pem")), 0600);
	assert_int_equal(mode_of(process_path("ca/altra")), 0700);
	/* Once more, with another key. */
	assert_int_equal(keys("issue", "altra", NULL), 0);
	assert_int_equal(keys("issue", "altra", "--json"), 0);
	assert_non_null(strstr(home.said, "\"command\": \"keys issue\""));
}

static void test_keys_refused(void **state)
{
	static const char *const bad[] = { "al/tra", "..", "", "-", "*.example", "a..b", "altra:5999" };

	(void)state;
	node_make(&home, "home", "hz=1000000000");
	assert_int_equal(keys("init", NULL, NULL), 0);
	for (size_t n = 0; n < ARRAY_SIZE(bad); n++)
		node_expect_failed(&home, keys("issue", "altra", bad[n]), 2, "is neither a host's name nor an address");
	node_expect_failed(&home, keys("revoke", NULL, NULL), 2, "keys takes init or issue");
	node_expect_failed(&home, keys("issue", NULL, NULL), 2, "keys issue needs a HOST");
	/* Another's key. */
	process_write(process_path("ca/ca-key.pem"), "junk", 4);
	node_expect_refused(&home, keys("issue", "altra", NULL), "the authority's key or certificate cannot be read");
}

/* `keys init` with hosts, of which the first is this one. */
static int keys_with_hosts(const char *first, const char *second)
{
	return node_command(&home, "keys", "init", first, second, "--ca", process_path("ca"), "--tls",
			    process_path("tls"), NULL);
}

static void test_keys_with_hosts(void **state)
{
	(void)state;
	node_make(&home, "home", "hz=1000000000");
	/* Nothing is made that would be in the way the next time. */
	node_expect_failed(&home, keys_with_hosts("altra", "gr/ace"), 2, "is neither a host's name nor an address");
	assert_int_equal(keys_with_hosts("altra", "grace"), 0);
	assert_non_null(strstr(home.said, "tls has what altra needs, which is this host\n"));
	assert_non_null(
		strstr(home.said, "ca/grace has what grace needs: move its files to /etc/seaclock/tls there\n"));
	assert_int_equal(mode_of(process_path("tls/key.pem")), 0600);
	assert_int_equal(mode_of(process_path("tls")), 0700);
	assert_int_not_equal(access(process_path("ca/altra"), F_OK), 0);
	/* A second authority does not take this host from the first one. */
	assert_int_equal(unlink(process_path("ca/ca-key.pem")), 0);
	node_expect_refused(&home, keys_with_hosts("altra", "grace"), "this host has keys in ");
	assert_int_not_equal(access(process_path("ca/ca-key.pem"), F_OK), 0);
	node_expect_failed(&home, node_command(&home, "keys", "issue", "altra", "--tls", process_path("tls"), NULL), 2,
			   "--tls is where keys init puts");
}

/* ---- Migrations ---- */

static void test_moves(void **state)
{
	(void)state;
	hosts_open("hz=25000000", "hz=25000000,counter=77");
	receive();
	assert_int_equal(migrate("--dry-run", "--plain"), 1);
	assert_int_equal(migrate_by_tls(), 0);
	assert_null(strstr(altra.said, "without TLS"));
	expect_moved();
	assert_false(last_is_plain(&grace));
}

/* The files as systemd passes those of a folder on, in another one. */
static void test_prefix(void **state)
{
	static const char *const names[] = { "ca.pem", "cert.pem", "key.pem", "peers" };

	(void)state;
	hosts_open("hz=25000000", "hz=25000000,counter=77");
	assert_int_equal(mkdir(process_path("credentials"), 0700), 0);
	for (size_t n = 0; n < ARRAY_SIZE(names); n++)
		assert_int_equal(
			rename(process_path("ca/grace/%s", names[n]), process_path("credentials/tls_%s", names[n])), 0);
	receiver = node_receive_with(&grace, "--tls", process_path("credentials/tls_"));
	assert_int_equal(migrate_by_tls(), 0);
	expect_moved();
	assert_false(last_is_plain(&grace));
}

/* New keys again and again, on the way there. */
static void test_rekeys(void **state)
{
	(void)state;
	hosts_open("hz=25000000,rekey_kib=40", "hz=25000000,counter=77,rekey_kib=1");
	receive();
	assert_int_equal(migrate_by_tls(), 0);
	expect_moved();
}

static void test_plain(void **state)
{
	(void)state;
	hosts_open("hz=25000000", "hz=25000000,counter=77");
	receiver = node_receive_with(&grace, "--plain", NULL);
	process_wait_text(receiver->errors, "without TLS, as it was told", 1);
	assert_int_equal(migrate("--plain", NULL), 0);
	assert_non_null(strstr(altra.said, "MiB sent without TLS"));
	assert_int_equal(process_count(monitor->errors, "without TLS, as it was told"), 1);
	expect_moved();
	assert_true(last_is_plain(&grace));
}

/* Within one host there is another way, which needs no keys; its name is free again afterwards. */
static void test_unix_socket(void **state)
{
	(void)state;
	node_make(&altra, "altra", "hz=25000000");
	node_make(&grace, "grace", "hz=25000000,counter=77");
	monitor = node_run(&altra, GUEST, "guest=reference");
	node_runs_on(&altra, GUEST);
	snprintf(grace.address, sizeof(grace.address), "%s", node_path(&grace, "move"));
	node_expect_refused(&altra, migrate(NULL, NULL), "is `seaclock receive --listen /");
	receiver = node_receive(&grace);
	assert_int_equal(mode_of(grace.address), 0600);
	node_expect_refused(&grace, node_command(&grace, "receive", "--listen", grace.address, NULL),
			    "(Address already in use)");
	/* One that was killed leaves its name. */
	process_kill(receiver);
	receiver = node_receive(&grace);
	assert_int_equal(migrate(NULL, NULL), 0);
	expect_moved();
	assert_int_equal(access(grace.address, F_OK), -1);
}

/* ---- Refused ---- */

static void test_unlike(void **state)
{
	(void)state;
	hosts_open("hz=25000000", "hz=25000000,counter=77");
	receive();
	expect_refused(migrate(NULL, NULL), "this receiver speaks TLS only: say --plain on both sides, or on neither",
		       "the other side does not speak TLS, which this receiver does");
	process_signal(receiver, 15);
	process_wait(receiver);
	receiver = node_receive(&grace);
	expect_refused(migrate_by_tls(), "the other side does not speak TLS: say --plain on both sides, or on neither",
		       "the other side speaks TLS, which this receiver does not");
	node_expect_failed(&altra, migrate("--plain", "--tls=x"), 2, "--plain and --tls exclude each other");
}

static void test_peers(void **state)
{
	(void)state;
	hosts_open("hz=25000000", "hz=25000000,counter=77");
	peers_write("altra web-* 64\n");
	receive();
	expect_refused(migrate_by_tls(), "altra may send no machine named guest here", "altra may send no machine");
	process_kill(receiver);
	peers_write("altra * 63\n");
	receive();
	expect_refused(migrate_by_tls(), "guest has 64 MiB, and altra may send machines of up to 63 MiB",
		       "guest is not taken: guest has 64 MiB");
	process_kill(receiver);
	peers_write("grace * 64\n");
	receive();
	expect_refused(migrate_by_tls(), "the file `peers` of this receiver does not name altra",
		       "the file `peers` of this receiver does not name altra");
	process_kill(receiver);
	peers_write("altra * much\n");
	node_expect_refused(&grace, node_command(&grace, "receive", "--tls", folder_of("grace"), NULL), "line 1 of ");
	remove(process_path("ca/grace/peers"));
	node_expect_refused(&grace, node_command(&grace, "receive", "--tls", folder_of("grace"), NULL),
			    "which says who may send which machines here: nobody may");
}

static void test_wrong_host(void **state)
{
	(void)state;
	hosts_open("hz=25000000", "hz=25000000,counter=77");
	assert_int_equal(keys("issue", "grace", NULL), 0);
	receive();
	expect_refused(migrate_by_tls(), "the other side's certificate is that of grace, not of 127.0.0.1",
		       "the other side wanted another host than this one's certificate names");
}

static void test_no_keys(void **state)
{
	char address[PORT_TEXT_SIZE], everywhere[PORT_TEXT_SIZE];
	int port = port_reserve(address);

	(void)state;
	hosts_open("hz=25000000", "hz=25000000,counter=77");
	receive();
	node_expect_refused(&altra, migrate("--tls", process_path("none")), "cannot open ");
	node_runs_on(&altra, GUEST);
	/* Where there is no other word, every address but loopback needs them. */
	snprintf(everywhere, sizeof(everywhere), "0.0.0.0%s", strchr(address, ':'));
	node_expect_refused(&grace, node_command(&grace, "receive", "--listen", everywhere, NULL),
			    "/etc/seaclock/tls/ca.pem");
	close(port);
}

/* Keys of three years ago; and a host whose clock was never set. */
static void test_time(void **state)
{
	(void)state;
	hosts_open("hz=25000000,behind_s=" YEARS_3, "hz=25000000,counter=77");
	home.host = "hz=1000000000,behind_s=" YEARS_3;
	remove(process_path("ca/ca-key.pem"));
	assert_int_equal(keys("init", NULL, NULL), 0);
	assert_int_equal(keys("issue", "altra", NULL), 0);
	home.host = "hz=1000000000";
	assert_int_equal(keys("issue", "grace", "127.0.0.1"), 0);
	receive();
	/* Each judges by its own clock. */
	expect_refused(migrate_by_tls(),
		       "the other side's certificate is not valid yet, by this host's clock, which says",
		       "by the clock there it has expired or is not valid yet");
	altra.host = "hz=25000000,behind_s=1700000000";
	process_kill(monitor);
	monitor = node_run(&altra, GUEST, "guest=reference");
	node_expect_refused(&altra, migrate_by_tls(), "this host's certificate ");
	node_runs_on(&altra, GUEST);
	assert_non_null(strstr(altra.errors, "is not valid yet, by this host's clock, which says 1970-01-0"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, process_set_up, process_tear_down)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(test_keys),   TEST(test_keys_refused), TEST(test_keys_with_hosts), TEST(test_moves),
		TEST(test_rekeys), TEST(test_prefix),	    TEST(test_plain),		TEST(test_unix_socket),
		TEST(test_unlike), TEST(test_peers),	    TEST(test_wrong_host),	TEST(test_no_keys),
		TEST(test_time),
	};

	return process_run_tests(tests, ARRAY_SIZE(tests));
}
