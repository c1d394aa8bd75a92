// SPDX-License-Identifier: BSD-2-Clause
/*
 * A connection with a fault in it, for tests of migrations that break: listens on a port, passes one connection on to
 * another port of this host, and after a given number of bytes towards the target cuts the connection, damages one
 * byte, or falls silent.
 *
 *     relay LISTEN_PORT TARGET_PORT BYTES cut|damage|silence
 *
 * Policy: bytes are passed on as they come, so nobody waits for a full buffer and the fault begins at exactly that
 * byte.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum fault {
	FAULT_CUT,
	FAULT_DAMAGE,
	FAULT_SILENCE
};

struct relay {
	int source;
	int target;
	enum fault fault;
	uint64_t left; /* bytes until the fault */
};

static void die(const char *what)
{
	fprintf(stderr, "relay: %s: %s\n", what, strerror(errno));
	exit(1);
}

static struct sockaddr_in address_of(const char *port, in_addr_t host)
{
	return (struct sockaddr_in){
		.sin_family = AF_INET,
		.sin_port = htons((uint16_t)strtoul(port, NULL, 10)),
		.sin_addr.s_addr = htonl(host),
	};
}

static int socket_accept(const char *port)
{
	struct sockaddr_in address = address_of(port, INADDR_ANY);
	int listener = socket(AF_INET, SOCK_STREAM, 0), one = 1;

	setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(listener, (struct sockaddr *)&address, sizeof(address)) != 0 || listen(listener, 1) != 0)
		die("cannot listen");
	int connection = accept(listener, NULL, NULL);

	close(listener);
	return connection;
}

static int socket_connect(const char *port)
{
	struct sockaddr_in address = address_of(port, INADDR_LOOPBACK);
	int connection = socket(AF_INET, SOCK_STREAM, 0);

	if (connect(connection, (struct sockaddr *)&address, sizeof(address)) != 0)
		die("cannot connect to the target");
	return connection;
}

static bool write_all(int to, const uint8_t *bytes, size_t length)
{
	while (length > 0) {
		ssize_t written = write(to, bytes, length);

		if (written <= 0)
			return false;
		bytes += written;
		length -= (size_t)written;
	}
	return true;
}

/* Applies the fault to bytes from `first` on; returns how many bytes are to be passed on. */
static size_t fault_apply(const struct relay *relay, uint8_t *bytes, size_t first, size_t length)
{
	if (relay->fault != FAULT_DAMAGE)
		return first;
	for (size_t i = first; i < length; i++)
		bytes[i] ^= 0x5a;
	return length;
}

/* Passes on what has come from the source. False: the connection is over. */
static bool pass_to_target(struct relay *relay)
{
	uint8_t bytes[65536];
	ssize_t got = read(relay->source, bytes, sizeof(bytes));

	if (got <= 0)
		return false;
	size_t length = (size_t)got;
	size_t intact = relay->left < length ? (size_t)relay->left : length;

	relay->left -= intact;
	if (intact < length)
		length = fault_apply(relay, bytes, intact, length);
	if (!write_all(relay->target, bytes, length))
		return false;
	return relay->fault != FAULT_CUT || relay->left > 0;
}

static bool pass_to_source(struct relay *relay)
{
	uint8_t bytes[65536];
	ssize_t got = read(relay->target, bytes, sizeof(bytes));

	return got > 0 && write_all(relay->source, bytes, (size_t)got);
}

static void relay_run(struct relay *relay)
{
	struct pollfd wait[2] = {
		{ .fd = relay->source, .events = POLLIN },
		{ .fd = relay->target, .events = POLLIN },
	};

	while (poll(wait, 2, -1) > 0) {
		if (wait[0].revents && !pass_to_target(relay))
			return;
		if (wait[1].revents && !pass_to_source(relay))
			return;
	}
}

static bool fault_parse(const char *word, enum fault *fault)
{
	static const char *const words[] = { "cut", "damage", "silence" };

	for (int i = 0; i < 3; i++)
		if (strcmp(words[i], word) == 0) {
			*fault = (enum fault)i;
			return true;
		}
	return false;
}

int main(int argc, char **argv)
{
	struct relay relay = { 0 };

	if (argc != 5 || !fault_parse(argv[4], &relay.fault)) {
		fprintf(stderr, "usage: relay LISTEN_PORT TARGET_PORT BYTES cut|damage|silence\n");
		return 2;
	}
	relay.left = strtoull(argv[3], NULL, 10);
	relay.source = socket_accept(argv[1]);
	relay.target = socket_connect(argv[2]);
	relay_run(&relay);
	return 0;
}
