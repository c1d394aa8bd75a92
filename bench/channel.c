/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What TLS costs a migration: the same frames of pages over loopback without it and with it, from one thread to
 * another, in turn. Prints both and their ratio.
 *
 * Policy: the monitor's own channel on both ends, on the fake host, with keys made here. Each page goes from one
 * guest's memory, which no cache holds, into another's, which nobody has touched, as in a migration; looking for what
 * to send is not part of it. The best of several turns counts, because whatever else runs here only slows.
 */
#include "../test/fake/host_fake.h"
#include "../test/fake/keys.h"

#include "host/host.h"
#include "migrate/channel.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#define TURNS 5
#define PAGES 64u
#define CONTENT ((size_t)PAGES * 4096)
#define BYTES (1ull << 30)
#define LIMIT_MS 60000
#define S_NS 1000000000ll

static uint8_t *memory[2];
static struct credentials own;

static _Noreturn void fail(const char *what)
{
	fprintf(stderr, "bench/channel: %s\n", what);
	exit(EXIT_FAILURE);
}

/* ---- A connection ---- */

static void socket_pair(int ends[2])
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t size = sizeof(address);
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	ends[0] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (bind(listener, (struct sockaddr *)&address, size) || listen(listener, 1) ||
	    getsockname(listener, (struct sockaddr *)&address, &size) ||
	    connect(ends[0], (struct sockaddr *)&address, size))
		fail("no connection over loopback");
	ends[1] = accept(listener, NULL, NULL);
	close(listener);
}

struct end {
	struct transport transport;
	const char *name; /* to be proved by the other end; NULL: it has called */
	bool tls;
};

static struct channel channel_make(struct end *end)
{
	struct channel channel;
	struct error error;
	short events;
	int result = 0;

	if (end->tls && transport_secure(&end->transport, &own, end->name, &error))
		fail(error.text);
	do
		result = transport_handshake(&end->transport, &events, &error);
	while (result == -EAGAIN);
	if (result)
		fail(error.text);
	channel_adopt(&channel, &end->transport, LIMIT_MS);
	return channel;
}

/* ---- The stream ---- */

/* A guest's, as the monitor has it. */
static uint8_t *memory_map(void)
{
	void *place = mmap(NULL, BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (place == MAP_FAILED)
		fail("no memory");
	return place;
}

static void *receive_thread(void *argument)
{
	struct channel channel = channel_make(argument);
	struct frame frame;
	struct error error;

	transport_read_ahead(&channel.transport, true);
	for (uint64_t at = 0; at < BYTES; at += CONTENT) {
		if (channel_expect(&channel, FRAME_PAGES, &frame, &error))
			fail(error.text);
		memcpy(memory[1] + at, frame.data + sizeof(uint64_t), CONTENT);
	}
	if (channel_send(&channel, FRAME_SYNCED, NULL, 0, &error))
		fail(error.text);
	channel_close(&channel);
	return NULL;
}

/* MiB a second. */
static double stream(bool tls)
{
	struct end ends[2] = { { .name = "127.0.0.1", .tls = tls }, { .tls = tls } };
	struct channel channel;
	struct frame frame;
	struct error error;
	pthread_t thread;
	int fds[2];
	uint64_t began;

	socket_pair(fds);
	transport_open(&ends[0].transport, fds[0]);
	transport_open(&ends[1].transport, fds[1]);
	if (pthread_create(&thread, NULL, receive_thread, &ends[1]))
		fail("no thread");
	channel = channel_make(&ends[0]);
	began = host_monotonic().v;
	for (uint64_t at = 0; at < BYTES; at += CONTENT)
		if (channel.sink.put(&channel.sink, FRAME_PAGES, &at, sizeof(at), memory[0] + at, CONTENT, &error))
			fail(error.text);
	if (channel_expect(&channel, FRAME_SYNCED, &frame, &error))
		fail(error.text);
	began = host_monotonic().v - began;
	channel_close(&channel);
	pthread_join(thread, NULL);
	return (double)BYTES / 1048576 / ((double)began / S_NS);
}

int main(void)
{
	double best[2] = { 0, 0 };

	fake_reset();
	fake_time_follow_machine();
	fake_keys_open(&own, "127.0.0.1");
	for (int n = 0; n < 2; n++) {
		memory[n] = memory_map();
		for (size_t at = 0; at < BYTES; at++)
			memory[n][at] = (uint8_t)(at * 7 >> 5);
	}
	for (int n = 0; n < 2 * TURNS; n++) {
		double speed = stream(n & 1);

		if (speed > best[n & 1])
			best[n & 1] = speed;
	}
	printf("a stream of pages over loopback: %.0f MiB/s without TLS, %.0f MiB/s with it: %.2f of that\n", best[0],
	       best[1], best[1] / best[0]);
	credentials_close(&own);
	munmap(memory[0], BYTES);
	munmap(memory[1], BYTES);
	return EXIT_SUCCESS;
}
