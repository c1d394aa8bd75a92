// SPDX-License-Identifier: BSD-2-Clause
/*
 * Watches a machine from outside: `pinger ADDRESS INTERVAL_MS` sends echo requests (ICMP, RFC 792) to an IPv4 address
 * from the first answer on, until SIGTERM; then it prints one line,
 *
 *     sent=N answered=N doubled=N gap_ns=N
 *
 * gap_ns is the longest time in which the machine answered nothing, up to the end included. A first line, "answered",
 * says that it has begun. Without an answer within FIRST_MS it gives up, with exit status 1.
 *
 * Policy: a request that was lost is not sent again: what counts is when the next answer comes. An answer counts if
 * this process asked; each counts once.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <netinet/ip_icmp.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define NS_PER_MS INT64_C(1000000)
#define FIRST_MS 60000
#define INTERVAL_MAX_MS 1000
#define IP_HEADER_MIN 20

struct pinger {
	int fd;
	uint16_t id;
	uint16_t next;	    /* sequence number of the next request */
	uint8_t seen[8192]; /* a bit for each sequence number */
	uint64_t sent, answered, doubled;
	int64_t last_ns, gap_ns; /* of answers */
};

static volatile sig_atomic_t ended;

static void end(int signal)
{
	(void)signal;
	ended = 1;
}

static int64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

static uint16_t checksum(const uint16_t *words, size_t count)
{
	uint32_t sum = 0;

	for (size_t i = 0; i < count; i++)
		sum += words[i];
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

/* A request that cannot be sent is as good as one that is lost. */
static void ask(struct pinger *pinger)
{
	union {
		struct icmphdr header;
		uint16_t words[sizeof(struct icmphdr) / 2];
	} request = { .header = { .type = ICMP_ECHO } };
	uint16_t number = pinger->next++;

	request.header.un.echo.id = htons(pinger->id);
	request.header.un.echo.sequence = htons(number);
	request.header.checksum = checksum(request.words, sizeof(request) / 2);
	pinger->seen[number / 8] &= (uint8_t) ~(1u << number % 8);
	if (send(pinger->fd, &request, sizeof(request), MSG_DONTWAIT) == (ssize_t)sizeof(request))
		pinger->sent++;
}

static void gap_note(struct pinger *pinger, int64_t now)
{
	if (now - pinger->last_ns > pinger->gap_ns)
		pinger->gap_ns = now - pinger->last_ns;
}

static void answer_take(struct pinger *pinger, uint16_t number)
{
	int64_t now = now_ns();

	if (pinger->seen[number / 8] & 1u << number % 8) {
		pinger->doubled++;
		return;
	}
	pinger->seen[number / 8] |= (uint8_t)(1u << number % 8);
	if (pinger->answered++)
		gap_note(pinger, now);
	pinger->last_ns = now;
}

static void packet_take(struct pinger *pinger, const uint8_t *bytes, size_t size)
{
	size_t header = size ? (size_t)(bytes[0] & 15) * 4 : 0;
	struct icmphdr icmp;

	if (header < IP_HEADER_MIN || size < header + sizeof(icmp))
		return;
	memcpy(&icmp, bytes + header, sizeof(icmp));
	if (icmp.type == ICMP_ECHOREPLY && ntohs(icmp.un.echo.id) == pinger->id)
		answer_take(pinger, ntohs(icmp.un.echo.sequence));
}

static void answers_take(struct pinger *pinger)
{
	uint8_t bytes[512];
	ssize_t size;

	while ((size = recv(pinger->fd, bytes, sizeof(bytes), MSG_DONTWAIT)) > 0)
		packet_take(pinger, bytes, (size_t)size);
}

/* Asks and takes answers for one interval. */
static void interval_run(struct pinger *pinger, int64_t interval_ns)
{
	int64_t until = now_ns() + interval_ns, left;

	ask(pinger);
	while (!ended && (left = until - now_ns()) > 0) {
		struct pollfd news = { .fd = pinger->fd, .events = POLLIN };

		if (poll(&news, 1, (int)((left + NS_PER_MS - 1) / NS_PER_MS)) > 0)
			answers_take(pinger);
	}
}

static int fail(const char *what, const char *why)
{
	fprintf(stderr, "pinger: %s: %s\n", what, why);
	return 1;
}

static int run(struct pinger *pinger, int64_t interval_ns)
{
	int64_t limit = now_ns() + FIRST_MS * NS_PER_MS;

	while (!ended && !pinger->answered && now_ns() < limit)
		interval_run(pinger, interval_ns);
	if (!pinger->answered)
		return fail("no answer", "the machine is not there");
	puts("answered");
	fflush(stdout);
	while (!ended)
		interval_run(pinger, interval_ns);
	gap_note(pinger, now_ns());
	printf("sent=%" PRIu64 " answered=%" PRIu64 " doubled=%" PRIu64 " gap_ns=%" PRId64 "\n", pinger->sent,
	       pinger->answered, pinger->doubled, pinger->gap_ns);
	return 0;
}

int main(int argc, char **argv)
{
	static struct pinger pinger;
	struct sockaddr_in to = { .sin_family = AF_INET };
	struct sigaction action = { .sa_handler = end };
	long interval = argc == 3 ? strtol(argv[2], NULL, 10) : 0;

	if (interval < 1 || interval > INTERVAL_MAX_MS || inet_pton(AF_INET, argv[1], &to.sin_addr) != 1)
		return fail("usage", "pinger ADDRESS INTERVAL_MS (1 to 1000)");
	pinger.fd = socket(AF_INET, SOCK_RAW, IPPROTO_ICMP);
	pinger.id = (uint16_t)getpid();
	if (pinger.fd < 0 || connect(pinger.fd, (struct sockaddr *)&to, sizeof(to)) != 0)
		return fail(argv[1], strerror(errno));
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGINT, &action, NULL);
	return run(&pinger, interval * NS_PER_MS);
}
