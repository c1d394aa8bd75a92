/* SPDX-License-Identifier: BSD-2-Clause */
/* TLS between two hosts: who is believed, and what each side is told when it is not, or does not speak TLS. */
#include "transport_fixture.h"

#define S_NS 1000000000ll

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
	end_load_credentials(&grace);
	connect_plain();
	assert_int_equal(transport_secure(&grace.transport, &grace.credentials, NULL, &grace.error), 0);
	for (grace.result = -EAGAIN; grace.result == -EAGAIN && sent < 4 * TRANSPORT_STRANGER_MAX;) {
		ssize_t done = transport_send(&altra.transport, &part, 1, false, &events, &altra.error);

		sent += done > 0 ? (size_t)done : 0;
		greet(&grace);
	}
	assert_int_equal(grace.result, -EPROTO);
	assert_true(sent <= TRANSPORT_STRANGER_MAX + sizeof(record));
}

/* ---- Without TLS ---- */

static void test_plain_ahead(void **state)
{
	char text[8];

	(void)state;
	connect_plain();
	transport_read_ahead(&grace.transport, true);
	assert_int_equal(receive(&grace, text, 3), -EAGAIN);
	assert_int_equal(send_text(&altra, "onetwo"), 6);
	assert_int_equal(receive(&grace, text, 3), 3);
	assert_int_equal(recv(grace.transport.fd, text, 1, MSG_DONTWAIT), -1);
	assert_true(transport_pending(&grace.transport));
	assert_true(transport_arrived(&grace.transport));
	/* What was taken comes first, whatever has come since, and from now on no more is taken. */
	transport_read_ahead(&grace.transport, false);
	assert_int_equal(send_text(&altra, "three"), 5);
	assert_int_equal(receive(&grace, text, sizeof(text)), 3);
	assert_memory_equal(text, "two", 3);
	assert_false(transport_pending(&grace.transport));
	assert_int_equal(receive(&grace, text, 2), 2);
	assert_false(transport_pending(&grace.transport));
	transport_finish(&altra.transport);
	assert_int_equal(receive(&grace, text, sizeof(text)), 3);
	assert_memory_equal(text, "ree", 3);
	assert_int_equal(receive(&grace, text, sizeof(text)), 0);
}

/* What is followed by more may wait for it, and leaves with it. */
static void test_plain_more(void **state)
{
	const struct iovec part = { "page", 4 };
	char text[8];
	short events;

	(void)state;
	connect_plain();
	assert_int_equal(transport_send(&altra.transport, &part, 1, true, &events, &altra.error), 4);
	assert_int_equal(send_text(&altra, "sync"), 4);
	for (size_t got = 0; got < sizeof(text); got += 4)
		assert_int_equal(receive(&grace, text + got, 4), 4);
	assert_memory_equal(text, "pagesync", 8);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(test_known),	TEST(test_names),	    TEST(test_addresses),
		TEST(test_wrong_name),	TEST(test_wrong_authority), TEST(test_wrong_authority_of_caller),
		TEST(test_expired),	TEST(test_not_yet),	    TEST(test_revoked),
		TEST(test_plain_calls), TEST(test_plain_is_called), TEST(test_too_much),
		TEST(test_plain_ahead), TEST(test_plain_more),
	};

	return cmocka_run_group_tests(tests, set_up_all, tear_down_all);
}
