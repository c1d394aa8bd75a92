/* SPDX-License-Identifier: BSD-2-Clause */
/* One connection of a receiver's incoming side: see the header. */
#include "migrate/call.h"

#include "base/log.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#define DRAIN_TIMES 16

/* With these a stream of TLS begins (RFC 8446, 5.1); no frame does. */
#define TLS_BYTE_0 22
#define TLS_BYTE_1 3

void call_close(struct call *call)
{
	if (call->transport.fd >= 0)
		transport_close(&call->transport);
}

bool call_send(struct transport *transport, enum frame_type type, const void *data, size_t size)
{
	uint8_t header[FRAME_HEADER_SIZE];
	const struct iovec parts[2] = { { header, sizeof(header) }, { (void *)data, size } };
	struct error error;
	short events;
	ssize_t sent;

	frame_put_header(header, type, (uint32_t)size);
	sent = transport_send(transport, parts, 2, false, &events, &error);
	if (sent == -EAGAIN)
		error_format(&error, "it takes nothing");
	if (sent < 0 && sent != -EPIPE)
		log_line("cannot answer a connection: %s", error.text);
	return sent == (ssize_t)(sizeof(header) + size);
}

void call_drain(const struct call *call)
{
	uint8_t waste[4096];

	for (int n = 0; n < DRAIN_TIMES && recv(call->transport.fd, waste, sizeof(waste), MSG_DONTWAIT) > 0; n++)
		;
}

int call_wants(const struct call *call, struct frame *frame, size_t *wants, struct error *error)
{
	uint32_t size;
	int result;

	*wants = FRAME_HEADER_SIZE - call->size;
	if (call->size < FRAME_HEADER_SIZE)
		return 0;
	if (call->bytes[0] == TLS_BYTE_0 && call->bytes[1] == TLS_BYTE_1)
		return error_set(error, EPROTO,
				 "the other side speaks TLS, which this receiver does not: " CALL_BOTH_ALIKE);
	result = frame_get_header(call->bytes, &frame->type, &size, error);
	if (!result && size > FRAME_CALL_MAX)
		result = error_set(error, EPROTO, "a connection does not begin with %u bytes", size);
	frame->data = call->bytes + FRAME_HEADER_SIZE;
	frame->size = size;
	*wants = FRAME_HEADER_SIZE + size - call->size;
	return result;
}

bool call_read(struct call *call, size_t wants)
{
	struct error error;
	short events;
	ssize_t got = transport_receive(&call->transport, call->bytes + call->size, wants, &events, &error);

	if (got > 0) {
		call->size += (size_t)got;
		return true;
	}
	if (got == -EAGAIN)
		return false;
	if (call->kind == CALL_NEW)
		log_line("a connection ended before it had said what it wanted");
	call_close(call);
	return false;
}
