/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A stranger who says anything where TLS is due, to the one who was called and to the one who calls: nobody is known by
 * it, it ends with a sentence, and no more is read than a stranger may send.
 *
 * The first byte says which of both this end is, and in what pieces the others come.
 */
#include "fuzz.h"
#include "../fake/host_fake.h"
#include "../fake/keys.h"

#include "migrate/transport.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#define NAME "altra.example"
#define CALLS 0x80

static struct credentials own;

static void open_once(void)
{
	if (own.own)
		return;
	fake_reset();
	fake_keys_open(&own, NAME);
}

/* What this end says is read, so that it never waits for that. */
static void hear(int fd)
{
	char heard[4096];

	while (recv(fd, heard, sizeof(heard), MSG_DONTWAIT) > 0)
		;
}

/* All that is said, in pieces, until this end gives up. */
static void greet(struct transport *transport, int peer, const uint8_t *data, size_t size, size_t piece)
{
	struct error error = { .text = "" };
	size_t said = 0;
	short events;
	int result = transport_handshake(transport, &events, &error);

	while (result == -EAGAIN) {
		size_t length = size - said < piece ? size - said : piece;

		hear(peer);
		if (!length)
			shutdown(peer, SHUT_WR);
		else
			FUZZ_MUST(send(peer, data + said, length, MSG_NOSIGNAL | MSG_DONTWAIT) == (ssize_t)length);
		said += length;
		result = transport_handshake(transport, &events, &error);
	}
	FUZZ_MUST(result < 0 && error.text[0]);
	FUZZ_MUST(!transport_name(transport, 0));
	FUZZ_MUST(said <= TRANSPORT_STRANGER_MAX + piece);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct transport transport;
	struct error error;
	int ends[2];

	if (!size)
		return 0;
	open_once();
	FUZZ_MUST(!socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends));
	transport_open(&transport, ends[0]);
	FUZZ_MUST(!transport_secure(&transport, &own, data[0] & CALLS ? NAME : NULL, &error));
	greet(&transport, ends[1], data + 1, size - 1, (size_t)1 << (data[0] & 15));
	transport_close(&transport);
	close(ends[1]);
	return 0;
}
