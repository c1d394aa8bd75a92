/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * TLS between two hosts: who is believed, what each side is told when it is not, and what becomes of a stream that is
 * cut, renewed, or none of TLS.
 *
 * Policy: one thread has both ends of a socket pair, and moves them in turn until neither has anything to do.
 */
#include "unit.h"
#include "../fake/host_fake.h"
#include "certificate_fixture.h"

#include "migrate/credentials.h"
#include "migrate/transport.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>

#define TURNS 200
#define S_NS 1000000000ll

/* One end. */
struct end {
	char folder[64];
	struct credentials credentials;
	struct transport transport;
	struct error error;
	int result;
};

static char top[] = "/tmp/seaclock-transport-XXXXXX";
static struct authority_pair authority, other_authority;
static struct end altra, grace; /* the one who calls, the one who is called */

static int set_up_all(void **state)
{
	struct authority_span span;

	(void)state;
	fake_reset();
	span = certificate_span();
	authority = certificate_authority(&span);
	other_authority = certificate_authority(&span);
	return mkdtemp(top) ? 0 : -1;
}

static int tear_down_all(void **state)
{
	(void)state;
	authority_free(&authority);
	authority_free(&other_authority);
	return rmdir(top);
}

static void end_make(struct end *end, const char *name)
{
	struct authority_span span = certificate_span();

	*end = (struct end){ .transport = { .fd = -1 } };
	snprintf(end->folder, sizeof(end->folder), "%s/%s", top, name);
	certificate_folder(end->folder, &authority, &authority, name, &span);
}

static int set_up(void **state)
{
	(void)state;
	fake_reset();
	end_make(&altra, "altra");
	end_make(&grace, "grace.example");
	return 0;
}

static void end_close(struct end *end)
{
	if (end->transport.fd >= 0)
		transport_close(&end->transport);
	credentials_close(&end->credentials);
	certificate_remove(end->folder);
}

static int tear_down(void **state)
{
	(void)state;
	end_close(&altra);
	end_close(&grace);
	return 0;
}

static void credentials_load(struct end *end)
{
	if (credentials_open(&end->credentials, end->folder, &end->error))
		fail_msg("%s", end->error.text);
}

/* The two ends of a connection. */
static void connect_plain(void)
{
	int ends[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
	transport_open(&altra.transport, ends[0]);
	transport_open(&grace.transport, ends[1]);
}

static void connect_to(const char *name)
{
	credentials_load(&altra);
	credentials_load(&grace);
	connect_plain();
	assert_int_equal(transport_secure(&altra.transport, &altra.credentials, name, &altra.error), 0);
	assert_int_equal(transport_secure(&grace.transport, &grace.credentials, NULL, &grace.error), 0);
}

static void greet(struct end *end)
{
	short events;

	if (end->result == -EAGAIN)
		end->result = transport_handshake(&end->transport, &events, &end->error);
}

static void greet_both(void)
{
	altra.result = grace.result = -EAGAIN;
	for (int n = 0; n < TURNS && (altra.result == -EAGAIN || grace.result == -EAGAIN); n++) {
		greet(&altra);
		greet(&grace);
	}
}

static void expect_known(void)
{
	connect_to("grace.example");
	greet_both();
	if (altra.result || grace.result)
		fail_msg("altra: %d %s; grace: %d %s", altra.result, altra.error.text, grace.result, grace.error.text);
}

static ssize_t receive(struct end *end, void *data, size_t size)
{
	short events;

	return transport_receive(&end->transport, data, size, &events, &end->error);
}

static ssize_t send_text(struct end *end, const char *text)
{
	const struct iovec part = { (void *)text, strlen(text) };
	short events;

	return transport_send(&end->transport, &part, 1, &events, &end->error);
}

static void expect_says(const struct end *end, int err, const char *words)
{
	if (!strstr(end->error.text, words))
		fail_msg("%s says: %s", end->folder, end->error.text);
	assert_int_equal(end->error.err, err);
}

/* The caller is content, and hears only from its next look that it is refused. */
static void expect_caller_refused(int err, const char *words, const char *hears)
{
	char byte;

	assert_int_equal(grace.result, -err);
	expect_says(&grace, err, words);
	if (!altra.result)
		altra.result = (int)receive(&altra, &byte, 1);
	assert_int_equal(altra.result, -ECONNABORTED);
	expect_says(&altra, ECONNABORTED, hears);
}

static void expect_called_refused(int err, const char *words, const char *hears)
{
	assert_int_equal(altra.result, -err);
	expect_says(&altra, err, words);
	assert_int_equal(grace.result, -ECONNABORTED);
	expect_says(&grace, ECONNABORTED, hears);
}

/* ---- Who is known ---- */

static void test_known(void **state)
{
	char text[16] = "";

	(void)state;
	expect_known();
	assert_string_equal(transport_name(&grace.transport, 0), "altra");
	assert_string_equal(transport_name(&altra.transport, 0), "grace.example");
	assert_null(transport_name(&altra.transport, 1));
	assert_int_equal(send_text(&altra, "ahoy"), 4);
	assert_true(transport_arrived(&grace.transport));
	assert_int_equal(receive(&grace, text, 1), 1);
	/* The rest lies above the socket. */
	assert_true(transport_pending(&grace.transport));
	assert_true(transport_arrived(&grace.transport));
	assert_int_equal(receive(&grace, text + 1, sizeof(text) - 1), 3);
	assert_string_equal(text, "ahoy");
	assert_false(transport_arrived(&grace.transport));
	assert_int_equal(receive(&grace, text, sizeof(text)), -EAGAIN);
}

static void test_names(void **state)
{
	static const struct {
		const char *a, *b;
		bool equal;
	} cases[] = {
		{ "grace", "GRACE", true },
		{ "grace", "grace2", false },
		{ "10.0.0.7", "10.0.0.7", true },
		{ "fe80::1", "FE80:0::1", true },
		{ "1.2.3.4", "102:304::", false },
		{ "10.0.0.7", "ten", false },
		{ "::ffff:1.2.3.4", "1.2.3.4", false },
	};

	(void)state;
	for (size_t n = 0; n < ARRAY_SIZE(cases); n++)
		assert_int_equal(transport_name_equal(cases[n].a, cases[n].b), cases[n].equal);
}

static void test_addresses(void **state)
{
	struct authority_span span = certificate_span();

	(void)state;
	certificate_folder(grace.folder, &authority, &authority, "fd00::1:7", &span);
	connect_to("FD00:0::1:7");
	greet_both();
	assert_int_equal(altra.result, 0);
	assert_int_equal(grace.result, 0);
}

static void test_wrong_name(void **state)
{
	(void)state;
	connect_to("altra");
	greet_both();
	expect_called_refused(EKEYREJECTED, "the other side's certificate is that of grace.example, not of altra",
			      "the other side wanted another host than this one's certificate names");
}

static void test_wrong_authority(void **state)
{
	struct authority_span span = certificate_span();

	(void)state;
	/* It believes its own, and shows a certificate of the other. */
	certificate_folder(altra.folder, &other_authority, &other_authority, "altra", &span);
	connect_to("grace.example");
	greet_both();
	expect_called_refused(EKEYREJECTED, "the other side's certificate is not from the authority in ca.pem",
			      "it is not from the authority that is known there");
}

/* Only the one who was called knows another authority. */
static void test_wrong_authority_of_caller(void **state)
{
	gnutls_datum_t both;

	(void)state;
	certificate_folder(altra.folder, &authority, &other_authority, "altra",
			   &(struct authority_span){ certificate_now() - 9, certificate_now() + 9 });
	/* So that its own certificate passes at its own host. */
	both.size = authority.certificate.size + other_authority.certificate.size;
	both.data = malloc(both.size);
	memcpy(both.data, authority.certificate.data, authority.certificate.size);
	memcpy(both.data + authority.certificate.size, other_authority.certificate.data,
	       other_authority.certificate.size);
	certificate_write(altra.folder, "ca.pem", &both);
	free(both.data);
	connect_to("grace.example");
	greet_both();
	expect_caller_refused(EKEYREJECTED, "the other side's certificate is not from the authority in ca.pem",
			      "it is not from the authority that is known there");
}

/* ---- Time ---- */

static void clock_step(int64_t s)
{
	fake_host_current()->realtime_off_ns += s * S_NS;
}

static void test_expired(void **state)
{
	struct authority_span span = certificate_span();

	(void)state;
	span.until = certificate_now() + 60;
	certificate_folder(altra.folder, &authority, &authority, "altra", &span);
	connect_to("grace.example");
	clock_step(61);
	greet_both();
	expect_caller_refused(EKEYREJECTED,
			      "the other side's certificate has expired, by this host's clock, which says 20",
			      "by the clock there it has expired or is not valid yet");
}

static void test_not_yet(void **state)
{
	struct authority_span span = certificate_span();

	(void)state;
	span.from = certificate_now() + 60;
	certificate_folder(grace.folder, &authority, &authority, "grace.example", &span);
	clock_step(61);
	connect_to("grace.example");
	clock_step(-61);
	greet_both();
	expect_called_refused(EKEYREJECTED, "the other side's certificate is not valid yet, by this host's clock",
			      "by the clock there it has expired or is not valid yet");
}

static void test_revoked(void **state)
{
	(void)state;
	certificate_revoke(&authority, altra.folder, grace.folder);
	connect_to("grace.example");
	greet_both();
	expect_caller_refused(EKEYREJECTED, "the other side's certificate is revoked",
			      "the other side refuses this host's certificate: it is revoked");
}

/* ---- One end without TLS ---- */

static void test_plain_calls(void **state)
{
	(void)state;
	connect_to("grace.example");
	transport_close(&altra.transport);
	transport_close(&grace.transport);
	connect_plain();
	assert_int_equal(transport_secure(&grace.transport, &grace.credentials, NULL, &grace.error), 0);
	assert_int_equal(send_text(&altra, "\1\0\0\0plain"), 1);
	grace.result = -EAGAIN;
	greet(&grace);
	assert_int_equal(grace.result, -EPROTO);
	assert_true(transport_is_foreign(&grace.transport));
	expect_says(&grace, EPROTO, "the other side does not speak TLS, which this receiver does");
}

static void test_plain_is_called(void **state)
{
	(void)state;
	connect_to("grace.example");
	transport_close(&altra.transport);
	transport_close(&grace.transport);
	connect_plain();
	assert_int_equal(transport_secure(&altra.transport, &altra.credentials, "grace.example", &altra.error), 0);
	altra.result = -EAGAIN;
	greet(&altra);
	assert_int_equal(altra.result, -EAGAIN);
	/* The beginning of an ABORT. */
	assert_int_equal(send_text(&grace, "\x14"), 1);
	greet(&altra);
	assert_int_equal(altra.result, -EPROTO);
	expect_says(&altra, EPROTO, "the other side does not speak TLS: say --plain on both sides, or on neither");
}

/* ---- Strangers ---- */

/* A handshake without end. */
static void test_too_much(void **state)
{
	uint8_t record[5 + 1024] = { 22, 3, 3, 4, 0, 1, 0, 0xff, 0xff };
	const struct iovec part = { record, sizeof(record) };
	size_t sent = 0;
	short events;

	(void)state;
	credentials_load(&grace);
	connect_plain();
	assert_int_equal(transport_secure(&grace.transport, &grace.credentials, NULL, &grace.error), 0);
	for (grace.result = -EAGAIN; grace.result == -EAGAIN && sent < 4 * TRANSPORT_STRANGER_MAX;) {
		ssize_t done = transport_send(&altra.transport, &part, 1, &events, &altra.error);

		sent += done > 0 ? (size_t)done : 0;
		greet(&grace);
	}
	assert_int_equal(grace.result, -EPROTO);
	assert_true(sent <= TRANSPORT_STRANGER_MAX + sizeof(record));
}

/* ---- The stream ---- */

static void test_end(void **state)
{
	char byte;

	(void)state;
	expect_known();
	transport_finish(&altra.transport);
	assert_int_equal(receive(&grace, &byte, 1), 0);
	/* The other way is open. */
	assert_int_equal(send_text(&grace, "x"), 1);
	assert_int_equal(receive(&altra, &byte, 1), 1);
}

/* Somebody between the two ends it: both see that it was not the other. */
static void test_cut(void **state)
{
	char byte;

	(void)state;
	expect_known();
	assert_int_equal(send_text(&altra, "ahoy"), 4);
	shutdown(altra.transport.fd, SHUT_RDWR);
	assert_int_equal(receive(&grace, &byte, 1), 1);
	while (transport_pending(&grace.transport))
		receive(&grace, &byte, 1);
	assert_int_equal(receive(&grace, &byte, 1), -ECONNRESET);
	expect_says(&grace, ECONNRESET, "the migration connection was cut: its end is not one that the other side has");
}

/* Whoever closes with something unread has not heard it, and does not say otherwise. */
static void test_unread(void **state)
{
	char byte;

	(void)state;
	expect_known();
	assert_int_equal(send_text(&grace, "ahoy"), 4);
	transport_close(&altra.transport);
	assert_true(receive(&grace, &byte, 1) < 0);
	tear_down(state);
	set_up(state);
	expect_known();
	/* An end that is unread does no harm. */
	transport_finish(&grace.transport);
	transport_close(&altra.transport);
	assert_int_equal(receive(&grace, &byte, 1), 0);
}

static void test_changed(void **state)
{
	uint8_t record[64];
	int between[2];
	char byte;
	ssize_t size;

	(void)state;
	expect_known();
	assert_int_equal(send_text(&altra, "ahoy"), 4);
	/* It is taken off the wire, and comes back with a bit changed. */
	size = recv(grace.transport.fd, record, sizeof(record), 0);
	assert_true(size > 6);
	record[size - 1] ^= 1;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, between), 0);
	assert_int_equal(write(between[0], record, (size_t)size), size);
	assert_int_equal(dup2(between[1], grace.transport.fd), grace.transport.fd);
	assert_int_equal(receive(&grace, &byte, 1), -EPROTO);
	expect_says(&grace, EPROTO, "the other side does not speak TLS as it should");
	close(between[0]);
	close(between[1]);
}

/* Sends all of it, while the other end reads: returns the sum of what was read. */
static uint64_t pump(const uint8_t *data, size_t size)
{
	uint8_t heard[5000];
	uint64_t sum = 0;
	size_t sent = 0, got = 0;
	short events;

	while (got < size) {
		const struct iovec parts[3] = {
			{ (void *)(data + sent), size - sent < 8 ? size - sent : 8 },
			{ NULL, 0 },
			{ (void *)(data + sent + 8), size - sent < 8 ? 0 : size - sent - 8 },
		};
		ssize_t done = sent < size ? transport_send(&altra.transport, parts, 3, &events, &altra.error) : 0;

		if (done < 0 && done != -EAGAIN)
			fail_msg("%s", altra.error.text);
		sent += done > 0 ? (size_t)done : 0;
		done = receive(&grace, heard, sizeof(heard));
		if (done < 0 && done != -EAGAIN)
			fail_msg("%s", grace.error.text);
		for (ssize_t n = 0; n < done; n++)
			sum = sum * 31 + heard[n];
		got += done > 0 ? (size_t)done : 0;
	}
	return sum;
}

#define MUCH 3000000u

static void expect_pumped(void)
{
	uint8_t *data = malloc(MUCH);
	uint64_t sum = 0;

	assert_non_null(data);
	for (size_t n = 0; n < MUCH; n++) {
		data[n] = (uint8_t)(n * 7 >> 3);
		sum = sum * 31 + data[n];
	}
	assert_int_equal(pump(data, MUCH), sum);
	free(data);
}

/* More than the socket holds, in parts. */
static void test_much(void **state)
{
	(void)state;
	expect_known();
	expect_pumped();
}

/* New keys in the middle, also while the socket is full. */
static void test_rekey(void **state)
{
	(void)state;
	expect_known();
	for (int n = 0; n < 5; n++) {
		transport_rekey_after(&altra.transport, MUCH / 3);
		expect_pumped();
	}
}

/* ---- What is read ahead ---- */

static bool socket_is_empty(const struct end *end)
{
	char byte;

	return recv(end->transport.fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0 && errno == EAGAIN;
}

/* Three records, of which the first is received, and all are off the socket. */
static void expect_ahead(void)
{
	char text[8];

	expect_known();
	transport_read_ahead(&grace.transport, true);
	assert_int_equal(send_text(&altra, "one"), 3);
	assert_int_equal(send_text(&altra, "two"), 3);
	assert_int_equal(send_text(&altra, "three"), 5);
	assert_int_equal(receive(&grace, text, sizeof(text)), 3);
	assert_true(socket_is_empty(&grace));
}

/* No event would tell of it: whoever looks is told. */
static void test_ahead(void **state)
{
	char text[8];

	(void)state;
	expect_ahead();
	assert_true(transport_pending(&grace.transport));
	assert_true(transport_arrived(&grace.transport));
	assert_int_equal(receive(&grace, text, sizeof(text)), 3);
	assert_true(transport_pending(&grace.transport));
	assert_int_equal(receive(&grace, text, sizeof(text)), 5);
	assert_memory_equal(text, "three", 5);
	assert_false(transport_pending(&grace.transport));
	assert_false(transport_arrived(&grace.transport));
	assert_int_equal(receive(&grace, text, sizeof(text)), -EAGAIN);
}

/* What was read ahead is not lost, and from then on the socket tells of what comes. */
static void test_ahead_no_more(void **state)
{
	char text[8];

	(void)state;
	expect_ahead();
	transport_read_ahead(&grace.transport, false);
	assert_int_equal(send_text(&altra, "four"), 4);
	assert_int_equal(receive(&grace, text, sizeof(text)), 3);
	assert_int_equal(receive(&grace, text, sizeof(text)), 5);
	assert_false(transport_pending(&grace.transport));
	assert_int_equal(send_text(&altra, "five"), 4);
	assert_int_equal(receive(&grace, text, sizeof(text)), 4);
	assert_false(socket_is_empty(&grace));
	assert_false(transport_pending(&grace.transport));
	assert_int_equal(receive(&grace, text, sizeof(text)), 4);
	assert_memory_equal(text, "five", 4);
}

static void test_ahead_end(void **state)
{
	char text[8];

	(void)state;
	expect_ahead();
	transport_finish(&altra.transport);
	assert_int_equal(receive(&grace, text, sizeof(text)), 3);
	assert_int_equal(receive(&grace, text, sizeof(text)), 5);
	assert_int_equal(receive(&grace, text, sizeof(text)), 0);
}

/* It was taken off the socket and heard by nobody: the kernel does not reset that connection, and TLS says no end. */
static void test_ahead_unread(void **state)
{
	char byte;

	(void)state;
	expect_ahead();
	transport_close(&grace.transport);
	assert_int_equal(receive(&altra, &byte, 1), -ECONNRESET);
}

/* In records of all sizes that fit in a buffer whole or in part, with new keys. */
static void test_ahead_much(void **state)
{
	(void)state;
	expect_known();
	transport_read_ahead(&grace.transport, true);
	for (int n = 0; n < 3; n++) {
		transport_rekey_after(&altra.transport, MUCH / 3);
		expect_pumped();
	}
}

/* ---- Many records at once ---- */

/* A frame of pages, if the socket has room. */
static void test_batch(void **state)
{
	const size_t size = 16 + (256u << 10);
	int room = 4 << 20;
	char *data = calloc(1, size);
	const struct iovec parts[2] = { { "head", 4 }, { data, size - 4 } };
	short events;

	(void)state;
	assert_non_null(data);
	expect_known();
	setsockopt(altra.transport.fd, SOL_SOCKET, SO_SNDBUF, &room, sizeof(room));
	for (ssize_t left = (ssize_t)size, done; left > 0; left -= done) {
		done = transport_send(&altra.transport, parts, 2, &events, &altra.error);
		if (done == -EAGAIN)
			done = 0;
		else
			assert_int_equal(done, size);
		while (receive(&grace, data, size - 4) > 0)
			;
	}
	free(data);
}

/* The end does not overtake what a full socket has kept back. */
static void test_batch_then_end(void **state)
{
	static char data[100000];
	const struct iovec part = { data, sizeof(data) };
	ssize_t done, sent = 0, heard = 0;
	short events;

	(void)state;
	expect_known();
	while ((done = transport_send(&altra.transport, &part, 1, &events, &altra.error)) > 0)
		sent += done;
	assert_int_equal(done, -EAGAIN);
	assert_int_equal(events, POLLOUT);
	while ((done = receive(&grace, data, sizeof(data))) > 0)
		heard += done;
	assert_int_equal(done, -EAGAIN);
	transport_finish(&altra.transport);
	while ((done = receive(&grace, data, sizeof(data))) > 0)
		heard += done;
	assert_int_equal(done, 0);
	assert_int_equal(heard, sent + (ssize_t)sizeof(data));
}

/* A small frame in parts is one record: nobody waits for its rest. */
static void test_one_record(void **state)
{
	const struct iovec parts[3] = { { "head", 4 }, { NULL, 0 }, { "content", 7 } };
	char text[32];
	short events;

	(void)state;
	expect_known();
	assert_int_equal(transport_send(&altra.transport, parts, 3, &events, &altra.error), 11);
	assert_int_equal(receive(&grace, text, sizeof(text)), 11);
	assert_memory_equal(text, "headcontent", 11);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(test_known),
		TEST(test_names),
		TEST(test_addresses),
		TEST(test_wrong_name),
		TEST(test_wrong_authority),
		TEST(test_wrong_authority_of_caller),
		TEST(test_expired),
		TEST(test_not_yet),
		TEST(test_revoked),
		TEST(test_plain_calls),
		TEST(test_plain_is_called),
		TEST(test_too_much),
		TEST(test_end),
		TEST(test_cut),
		TEST(test_unread),
		TEST(test_changed),
		TEST(test_much),
		TEST(test_rekey),
		TEST(test_ahead),
		TEST(test_ahead_no_more),
		TEST(test_ahead_end),
		TEST(test_ahead_unread),
		TEST(test_ahead_much),
		TEST(test_batch),
		TEST(test_batch_then_end),
		TEST(test_one_record),
	};

	return cmocka_run_group_tests(tests, set_up_all, tear_down_all);
}
