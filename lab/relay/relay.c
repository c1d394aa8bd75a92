// SPDX-License-Identifier: BSD-2-Clause
/*
 * Connections with a fault in them, for tests of migrations that break: listens on a port and passes each connection on
 * to another port of this host. At a place of the stream (place.h) a fault happens, at the next place the next one:
 *
 *     relay [ADDRESS:]LISTEN_PORT TARGET_PORT [FAULT PLACE]... [close]
 *
 * It listens on all addresses if none is named; with port 0 the kernel chooses one, and the first line names it.
 * `cut` ends the connection; `damage` changes all that follows in that direction, `flip` one byte, after which no place
 * is found on that connection; `silence` passes nothing more in either direction, `swallow` nothing more in that one.
 * With `close` the last fault leaves nobody listening.
 *
 * Policy: bytes are passed on as they come, so nobody waits for a full buffer, and a fault begins at exactly that byte;
 * a line says that it has. It runs until it is killed, or, with `close`, until the last connection has ended.
 */
#include "place.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define CONNECTIONS_MAX 16
#define ROOM 65536

enum fault {
	FAULT_NONE,
	FAULT_CUT,
	FAULT_DAMAGE,
	FAULT_SILENCE,
	FAULT_SWALLOW,
	FAULT_FLIP
};

/* One direction. */
struct pipe {
	int from;
	int to;
	struct flow flow;
	enum fault fault; /* that has happened here */
	bool flipped;	  /* at least one byte was changed */
	uint8_t bytes[ROOM];
	size_t held;
};

struct connection {
	bool open;
	bool silent;
	struct pipe pipe[2]; /* from the source, from the target */
};

struct relay {
	int listener;
	const char *target_port;
	char **words; /* the faults after the next */
	struct place place;
	enum fault fault; /* the next, or none */
	bool close;
	bool first; /* no connection yet */
	struct connection connection[CONNECTIONS_MAX];
};

static void die(const char *what)
{
	fprintf(stderr, "relay: %s: %s\n", what, strerror(errno));
	exit(1);
}

/* ---- Sockets ---- */

static struct sockaddr_in address_of(const char *port, in_addr_t host)
{
	return (struct sockaddr_in){
		.sin_family = AF_INET,
		.sin_port = htons((uint16_t)strtoul(port, NULL, 10)),
		.sin_addr.s_addr = htonl(host),
	};
}

/* PORT or ADDRESS:PORT. */
static struct sockaddr_in address_parse(const char *text)
{
	const char *colon = strchr(text, ':');
	char host[INET_ADDRSTRLEN] = "0.0.0.0";
	struct sockaddr_in address = address_of(colon ? colon + 1 : text, INADDR_ANY);

	if (colon)
		snprintf(host, sizeof(host), "%.*s", (int)(colon - text), text);
	if (inet_pton(AF_INET, host, &address.sin_addr) != 1) {
		fprintf(stderr, "relay: `%s` is not an IPv4 address\n", host);
		exit(2);
	}
	return address;
}

static int socket_listen(const char *text)
{
	struct sockaddr_in address = address_parse(text);
	int listener = socket(AF_INET, SOCK_STREAM, 0), one = 1;
	socklen_t size = sizeof(address);

	setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(listener, (struct sockaddr *)&address, sizeof(address)) != 0 || listen(listener, 8) != 0 ||
	    getsockname(listener, (struct sockaddr *)&address, &size) != 0)
		die("cannot listen");
	printf("listening on port %u\n", ntohs(address.sin_port));
	fflush(stdout);
	return listener;
}

/* -1 if nobody listens there. */
static int socket_connect(const char *port)
{
	struct sockaddr_in address = address_of(port, INADDR_LOOPBACK);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	if (connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0)
		return fd;
	close(fd);
	return -1;
}

/* Time stamps are small and must leave at once. */
static void socket_set_prompt(int fd)
{
	int one = 1;

	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
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

/* ---- Connections ---- */

static void connection_end(struct connection *connection)
{
	close(connection->pipe[0].from);
	close(connection->pipe[0].to);
	connection->open = false;
}

static void relay_accept(struct relay *relay)
{
	int source = accept(relay->listener, NULL, NULL), target = socket_connect(relay->target_port);

	for (int n = 0; n < CONNECTIONS_MAX && source >= 0 && target >= 0; n++) {
		struct connection *connection = &relay->connection[n];

		if (connection->open)
			continue;
		socket_set_prompt(source);
		socket_set_prompt(target);
		*connection = (struct connection){ .open = true };
		connection->pipe[0] = (struct pipe){ .from = source, .to = target };
		connection->pipe[1] = (struct pipe){ .from = target, .to = source };
		connection->pipe[0].flow = flow_make(&relay->place, relay->first);
		relay->first = false;
		return;
	}
	if (source >= 0)
		close(source);
	if (target >= 0)
		close(target);
}

static bool fault_parse(const char *word, enum fault *fault)
{
	static const char *const words[] = { NULL, "cut", "damage", "silence", "swallow", "flip" };

	for (int n = 1; n <= FAULT_FLIP; n++)
		if (strcmp(words[n], word) == 0) {
			*fault = (enum fault)n;
			return true;
		}
	return false;
}

/* Takes the next fault from the words, if one is left. False if they are not a fault. */
static bool relay_prepare(struct relay *relay)
{
	char **words = relay->words;

	relay->fault = FAULT_NONE;
	if (!words[0])
		return true;
	if (!words[1]) {
		relay->close = !strcmp(words[0], "close");
		return relay->close;
	}
	relay->words = words + 2;
	return fault_parse(words[0], &relay->fault) && place_parse(words[1], &relay->place);
}

/* The fault begins in this pipe. */
static void relay_strike(struct relay *relay, struct connection *connection, struct pipe *pipe)
{
	pipe->fault = relay->fault;
	connection->silent = pipe->fault == FAULT_SILENCE;
	printf("fault at %s\n", relay->words[-1]);
	fflush(stdout);
	if (!relay_prepare(relay)) {
		fprintf(stderr, "relay: the next words are not a fault\n");
		exit(2);
	}
	if (relay->close) {
		close(relay->listener);
		relay->listener = -1;
	}
}

/* Passes on what there is. False: the connection is over. */
static bool pipe_pass(struct relay *relay, struct connection *connection, struct pipe *pipe)
{
	size_t passed = pipe->held;
	bool reached = false;

	if (relay->fault)
		passed = flow_pass(&pipe->flow, &relay->place, pipe->bytes, pipe->held, &reached);
	if (!write_all(pipe->to, pipe->bytes, passed))
		return false;
	pipe->held -= passed;
	memmove(pipe->bytes, pipe->bytes + passed, pipe->held);
	if (reached)
		relay_strike(relay, connection, pipe);
	return pipe->fault != FAULT_CUT;
}

/* What becomes of everything after the fault. */
static bool pipe_pass_faulty(struct pipe *pipe)
{
	size_t held = pipe->held, end = pipe->fault == FAULT_DAMAGE ? held : !pipe->flipped;

	pipe->held = 0;
	if (pipe->fault == FAULT_SWALLOW)
		return true;
	for (size_t n = 0; n < held && n < end; n++)
		pipe->bytes[n] ^= 0x5a;
	pipe->flipped = pipe->flipped || held;
	return write_all(pipe->to, pipe->bytes, held);
}

static bool pipe_serve(struct relay *relay, struct connection *connection, struct pipe *pipe)
{
	ssize_t got = read(pipe->from, pipe->bytes + pipe->held, ROOM - pipe->held);

	if (got <= 0)
		return false;
	pipe->held += (size_t)got;
	if (!pipe->fault && !pipe_pass(relay, connection, pipe))
		return false;
	return !pipe->fault || connection->silent || pipe_pass_faulty(pipe);
}

/* ---- All of them ---- */

/* What to wait for: the listener first, then two for each connection. */
static bool relay_watch(const struct relay *relay, struct pollfd *wait)
{
	bool any = relay->listener >= 0;

	wait[0] = (struct pollfd){ .fd = relay->listener, .events = POLLIN };
	for (int n = 0; n < CONNECTIONS_MAX; n++) {
		const struct connection *connection = &relay->connection[n];
		bool heard = connection->open && !connection->silent;

		any |= connection->open;
		for (int way = 0; way < 2; way++)
			wait[1 + 2 * n + way] =
				(struct pollfd){ .fd = heard ? connection->pipe[way].from : -1, .events = POLLIN };
	}
	return any;
}

static void relay_serve(struct relay *relay, const struct pollfd *wait)
{
	for (int n = 0; n < 2 * CONNECTIONS_MAX; n++) {
		struct connection *connection = &relay->connection[n / 2];

		if (!wait[1 + n].revents || !connection->open || connection->silent)
			continue;
		if (!pipe_serve(relay, connection, &connection->pipe[n % 2]))
			connection_end(connection);
	}
	/* Last, so that a new connection has no events of an old one. */
	if (wait[0].revents && relay->listener >= 0)
		relay_accept(relay);
}

int main(int argc, char **argv)
{
	static struct relay relay = { .first = true };
	struct pollfd wait[1 + 2 * CONNECTIONS_MAX];

	relay.words = argv + 3;
	if (argc < 3 || !relay_prepare(&relay)) {
		fprintf(stderr, "usage: relay [ADDRESS:]LISTEN_PORT TARGET_PORT [cut|damage|flip|silence|swallow "
				"BYTES|TYPE[:NTH][+BYTES]]... [close]\n");
		return 2;
	}
	signal(SIGPIPE, SIG_IGN);
	relay.target_port = argv[2];
	relay.listener = socket_listen(argv[1]);
	while (relay_watch(&relay, wait) && poll(wait, 1 + 2 * CONNECTIONS_MAX, -1) > 0)
		relay_serve(&relay, wait);
	return 0;
}
