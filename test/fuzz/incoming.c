/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A receiver's incoming side and callers that say anything, in any pieces: no call disturbs it, nothing is settled that
 * never ran, and what it has promised never to run stays so.
 *
 * The input is a row of pieces: one byte for the caller, one for the length, the bytes. A length of 0 hangs up.
 */
#include "fuzz.h"
#include "../fake/host_fake.h"
#include "migrate/incoming.h"

#include <sys/socket.h>
#include <unistd.h>

#define CALLERS 4u
#define HEARD_MAX 1024u

static struct incoming incoming;
static int caller[CALLERS];

static void call_up(uint32_t n)
{
	int ends[2];

	FUZZ_MUST(!socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends));
	caller[n] = ends[0];
	incoming_admit(&incoming, ends[1]);
}

static void hang_up(uint32_t n)
{
	if (caller[n] >= 0)
		close(caller[n]);
	caller[n] = -1;
}

/* A migration that has called is over at once, as one whose connection breaks. */
static void take_migration(void)
{
	const struct error reason = { .text = "its connection broke" };
	struct channel channel;
	struct frame_hello hello;
	enum target_state state;

	if (!incoming_take(&incoming, &channel, &hello))
		return;
	incoming_give_up(&incoming, &channel, &reason);
	channel_close(&channel);
	FUZZ_MUST(ledger_find(&incoming.ledger, &hello.id, &state) && state == TARGET_NEVER);
	FUZZ_MUST(ledger_answer(&incoming.ledger, &hello.id) == FRAME_ANSWER_NEVER);
}

static void say(uint32_t n, const uint8_t *bytes, size_t size)
{
	uint8_t heard[HEARD_MAX];

	if (caller[n] < 0)
		call_up(n);
	if (!size || send(caller[n], bytes, size, MSG_NOSIGNAL) < 0 || recv(caller[n], heard, sizeof(heard), 0) == 0)
		hang_up(n);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct error error;

	fake_reset();
	FUZZ_MUST(!incoming_open(&incoming, &handover_limits, &error));
	for (uint32_t n = 0; n < CALLERS; n++)
		caller[n] = -1;
	while (size >= 2) {
		size_t length = data[1] < size - 2 ? data[1] : size - 2;

		say(data[0] % CALLERS, data + 2, length);
		incoming_serve(&incoming);
		/* Some stay with the incoming side for a while, as a migration under way does. */
		if (data[0] & 0x80)
			take_migration();
		data += 2 + length;
		size -= 2 + length;
	}
	FUZZ_MUST(!incoming.settled);
	for (uint32_t n = 0; n < CALLERS; n++)
		hang_up(n);
	incoming_close(&incoming);
	return 0;
}
