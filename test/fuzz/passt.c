/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A passt that says anything, in any pieces, and takes what is sent to it or does not. Each frame that is received is
 * one that it has said, cut only to the room there is; nobody waits for it, and one that has gone stays so.
 *
 * The input is a row of steps: it says some bytes, reads some, hangs up; the guest gives room for a frame, or sends
 * one.
 */
#include "fuzz.h"
#include "input.h"

#include "dev/net/passt.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define PIECE_MAX 4096u
#define BUFFERS 4u

static struct uplink *uplink;
static int other;
static bool gone;

static void open_both(void)
{
	struct error error;
	int ends[2];

	FUZZ_MUST(!socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends));
	FUZZ_MUST(!passt_attach(&uplink, "passt", ends[0], &error));
	other = ends[1];
	gone = false;
}

static void close_other(void)
{
	if (other >= 0)
		close(other);
	other = -1;
}

static void say(struct input *input)
{
	size_t size = input_take(input, 2) % PIECE_MAX;

	size = size < input->left ? size : input->left;
	if (other >= 0)
		(void)!send(other, input->bytes, size, MSG_NOSIGNAL);
	input->bytes += size;
	input->left -= size;
}

static void hear(struct input *input)
{
	static uint8_t data[65536];

	if (other >= 0)
		(void)!recv(other, data, input_take(input, 2), 0);
}

/* Room of `size` bytes for a frame, in buffers of any sizes; the header's has its own. */
static uint32_t make_room(struct input *input, struct iovec *buffer, size_t *size)
{
	static uint8_t header[UPLINK_HEADER_SIZE], data[BUFFERS][PIECE_MAX];
	uint32_t buffers = 1 + (uint32_t)input_take(input, 1) % BUFFERS;

	*size = 0;
	buffer[0] = (struct iovec){ header, sizeof(header) };
	for (uint32_t n = 1; n < buffers; n++) {
		buffer[n] = (struct iovec){ data[n], input_take(input, 2) % PIECE_MAX };
		*size += buffer[n].iov_len;
	}
	return buffers;
}

static void receive(struct input *input)
{
	struct iovec buffer[BUFFERS];
	size_t room;
	uint32_t buffers = make_room(input, buffer, &room);
	int64_t got = uplink->ops->receive(uplink, buffer, buffers);

	FUZZ_MUST(!gone || got == -ENODEV);
	FUZZ_MUST(got == -ENODEV || !got || (got >= UPLINK_HEADER_SIZE && (uint64_t)got <= UPLINK_HEADER_SIZE + room));
	gone = got == -ENODEV;
}

static void transmit(struct input *input)
{
	struct iovec buffer[BUFFERS];
	size_t size;
	uint32_t buffers = make_room(input, buffer, &size);
	int result;

	if (size < UPLINK_FRAME_MIN)
		return;
	result = uplink->ops->send(uplink, buffer, buffers, UPLINK_HEADER_SIZE + (uint32_t)size);
	FUZZ_MUST(!result || result == -ENODEV || (result == -EAGAIN && uplink->blocked));
}

static void step(struct input *input)
{
	switch (input_take(input, 1) % 6) {
	case 0:
	case 1:
		say(input);
		break;
	case 2:
		hear(input);
		break;
	case 3:
		receive(input);
		break;
	case 4:
		transmit(input);
		if (uplink->blocked)
			uplink->ops->flush(uplink);
		break;
	default:
		if (!input_take(input, 1))
			close_other();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input input = { data, size };

	open_both();
	while (input.left)
		step(&input);
	close_other();
	uplink->ops->close(uplink);
	return 0;
}
