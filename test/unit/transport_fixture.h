/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Two ends of a connection by TLS, with certificates of an authority that both know, for each test.
 *
 * Policy: one thread has both ends of a socket pair, and moves them in turn until neither has anything to do.
 */
#ifndef UNIT_TRANSPORT_FIXTURE_H
#define UNIT_TRANSPORT_FIXTURE_H

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

static inline int set_up_all(void **state)
{
	struct authority_span span;

	(void)state;
	fake_reset();
	span = certificate_span();
	authority = certificate_authority(&span);
	other_authority = certificate_authority(&span);
	return mkdtemp(top) ? 0 : -1;
}

static inline int tear_down_all(void **state)
{
	(void)state;
	authority_free(&authority);
	authority_free(&other_authority);
	return rmdir(top);
}

static inline void end_make(struct end *end, const char *name)
{
	struct authority_span span = certificate_span();

	*end = (struct end){ .transport = { .fd = -1 } };
	snprintf(end->folder, sizeof(end->folder), "%s/%s", top, name);
	certificate_folder(end->folder, &authority, &authority, name, &span);
}

static inline int set_up(void **state)
{
	(void)state;
	fake_reset();
	end_make(&altra, "altra");
	end_make(&grace, "grace.example");
	return 0;
}

static inline void end_close(struct end *end)
{
	if (end->transport.fd >= 0)
		transport_close(&end->transport);
	credentials_close(&end->credentials);
	certificate_remove(end->folder);
}

static inline int tear_down(void **state)
{
	(void)state;
	end_close(&altra);
	end_close(&grace);
	return 0;
}

static inline void end_load_credentials(struct end *end)
{
	if (credentials_open(&end->credentials, end->folder, &end->error))
		fail_msg("%s", end->error.text);
}

/* The two ends of a connection. */
static inline void connect_plain(void)
{
	int ends[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
	transport_open(&altra.transport, ends[0]);
	transport_open(&grace.transport, ends[1]);
}

static inline void connect_to(const char *name)
{
	end_load_credentials(&altra);
	end_load_credentials(&grace);
	connect_plain();
	assert_int_equal(transport_secure(&altra.transport, &altra.credentials, name, &altra.error), 0);
	assert_int_equal(transport_secure(&grace.transport, &grace.credentials, NULL, &grace.error), 0);
}

static inline void greet(struct end *end)
{
	short events;

	if (end->result == -EAGAIN)
		end->result = transport_handshake(&end->transport, &events, &end->error);
}

static inline void greet_both(void)
{
	altra.result = grace.result = -EAGAIN;
	for (int n = 0; n < TURNS && (altra.result == -EAGAIN || grace.result == -EAGAIN); n++) {
		greet(&altra);
		greet(&grace);
	}
}

static inline void expect_known(void)
{
	connect_to("grace.example");
	greet_both();
	if (altra.result || grace.result)
		fail_msg("altra: %d %s; grace: %d %s", altra.result, altra.error.text, grace.result, grace.error.text);
}

static inline ssize_t receive(struct end *end, void *data, size_t size)
{
	short events;

	return transport_receive(&end->transport, data, size, &events, &end->error);
}

static inline ssize_t send_text(struct end *end, const char *text)
{
	const struct iovec part = { (void *)text, strlen(text) };
	short events;

	return transport_send(&end->transport, &part, 1, false, &events, &end->error);
}

static inline void expect_says(const struct end *end, int err, const char *words)
{
	if (!strstr(end->error.text, words))
		fail_msg("%s says: %s", end->folder, end->error.text);
	assert_int_equal(end->error.err, err);
}

/* The caller is content, and hears only from its next look that it is refused. */
static inline void expect_caller_refused(int err, const char *words, const char *hears)
{
	char byte;

	assert_int_equal(grace.result, -err);
	expect_says(&grace, err, words);
	if (!altra.result)
		altra.result = (int)receive(&altra, &byte, 1);
	assert_int_equal(altra.result, -ECONNABORTED);
	expect_says(&altra, ECONNABORTED, hears);
}

static inline void expect_called_refused(int err, const char *words, const char *hears)
{
	assert_int_equal(altra.result, -err);
	expect_says(&altra, err, words);
	assert_int_equal(grace.result, -ECONNABORTED);
	expect_says(&grace, ECONNABORTED, hears);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

#endif
