/* SPDX-License-Identifier: BSD-2-Clause */
/* Where a disk is: see the header. */
#include "dev/disk/where.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define SCHEME_END "://"
#define PORT_DEFAULT 10809u

/* What is before "://", if that can be a URI's scheme: its length, 0 if there is none. */
static size_t scheme_length(const char *where)
{
	size_t length = strspn(where, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+-.");

	return strncmp(where + length, SCHEME_END, strlen(SCHEME_END)) ? 0 : length;
}

static bool scheme_is_of(const char *where, const char *const *names, size_t count)
{
	size_t length = scheme_length(where);

	for (size_t n = 0; n < count; n++)
		if (length == strlen(names[n]) && !strncasecmp(where, names[n], length))
			return true;
	return false;
}

/* With an address, and with a socket of this host. */
static const char *const schemes[] = { "nbd", "nbds", "nbd+unix", "nbds+unix" };
#define SCHEMES 4u
#define SCHEMES_WITH_ADDRESS 2u
_Static_assert(sizeof(schemes) / sizeof(schemes[0]) == SCHEMES, "the number of schemes");

bool where_is_uri(const char *where)
{
	return scheme_length(where) != 0;
}

bool where_is_remote(const char *where)
{
	return scheme_is_of(where, schemes, SCHEMES);
}

/* ---- Hosts ---- */

/* The host of a URI with an address, without brackets; false if it is longer than a host can be. */
static bool host_take(const char *where, char host[NI_MAXHOST])
{
	const char *authority = where + scheme_length(where) + strlen(SCHEME_END);
	const char *end = authority + strcspn(authority, "/?#");
	const char *user_end = memrchr(authority, '@', (size_t)(end - authority));
	const char *start = user_end ? user_end + 1 : authority;
	size_t length;

	if (*start == '[')
		length = strcspn(++start, "]/?#");
	else
		length = strcspn(start, ":/?#");
	if (length >= NI_MAXHOST)
		return false;
	snprintf(host, NI_MAXHOST, "%.*s", (int)length, start);
	return true;
}

/* "localhost", or a name below it (RFC 6761, section 6.3); a dot may follow. */
static bool name_is_local(const char *host)
{
	static const char local[] = "localhost";
	size_t length = strlen(host);

	if (length && host[length - 1] == '.')
		length--;
	if (length < strlen(local) || strncasecmp(host + length - strlen(local), local, strlen(local)) != 0)
		return false;
	return length == strlen(local) || host[length - strlen(local) - 1] == '.';
}

static bool ipv4_is_local(uint32_t address)
{
	return address >> 24 == IN_LOOPBACKNET || address >> 24 == 0;
}

static bool ipv6_is_local(const struct in6_addr *address)
{
	uint32_t ipv4;

	if (IN6_IS_ADDR_UNSPECIFIED(address) || IN6_IS_ADDR_LOOPBACK(address) || IN6_IS_ADDR_LINKLOCAL(address))
		return true;
	memcpy(&ipv4, &address->s6_addr[12], sizeof(ipv4));
	return (IN6_IS_ADDR_V4MAPPED(address) || IN6_IS_ADDR_V4COMPAT(address)) && ipv4_is_local(ntohl(ipv4));
}

static bool host_is_local(const char *host)
{
	struct in_addr ipv4;
	struct in6_addr ipv6;

	if (!*host || strchr(host, '%') || name_is_local(host))
		return true;
	/* In all forms that a resolver takes, so also 127.1. */
	if (inet_aton(host, &ipv4))
		return ipv4_is_local(ntohl(ipv4.s_addr));
	return inet_pton(AF_INET6, host, &ipv6) == 1 && ipv6_is_local(&ipv6);
}

bool where_is_shared(const char *where)
{
	char host[NI_MAXHOST];

	return scheme_is_of(where, schemes, SCHEMES_WITH_ADDRESS) && host_take(where, host) && !host_is_local(host);
}

/* ---- What a sandbox lets a connection have ---- */

uint16_t where_port(const char *where)
{
	const char *place = where + scheme_length(where) + strlen(SCHEME_END);
	const char *end = place + strcspn(place, "/?#");
	const char *bracket = memrchr(place, ']', (size_t)(end - place));
	const char *colon = memrchr(bracket ? bracket : place, ':', (size_t)(end - (bracket ? bracket : place)));
	unsigned long port;

	if (!scheme_is_of(where, schemes, SCHEMES_WITH_ADDRESS))
		return 0;
	if (!colon || colon + 1 == end)
		return PORT_DEFAULT;
	port = strtoul(colon + 1, NULL, 10);
	return port <= UINT16_MAX ? (uint16_t)port : 0;
}

static int digit_of(char character)
{
	const char *digits = "0123456789abcdefABCDEF", *place = character ? strchr(digits, character) : NULL;

	if (!place)
		return -1;
	return (int)(place - digits) < 16 ? (int)(place - digits) : (int)(place - digits) - 6;
}

/* Bytes may be written as %41 (RFC 3986, section 2.1). */
static bool text_decode(const char *from, size_t length, char *to, size_t size)
{
	size_t count = 0;

	for (const char *end = from + length; from < end && count + 1 < size; count++) {
		int high = *from == '%' ? digit_of(from[1]) : -1;
		int low = high < 0 ? -1 : digit_of(from[2]);

		to[count] = low < 0 ? *from : (char)(high * 16 + low);
		from += low < 0 ? 1 : 3;
		if (from >= end) {
			to[count + 1] = '\0';
			return true;
		}
	}
	return false;
}

bool where_keys(const char **place, char *path, size_t size)
{
	static const char *const names[] = { "tls-certificates=", "tls-psk-file=" };

	while ((*place = strpbrk(*place, "?&;"))) {
		const char *value = ++*place;

		for (size_t n = 0; n < sizeof(names) / sizeof(names[0]); n++) {
			size_t length = strlen(names[n]);

			if (strncasecmp(value, names[n], length) != 0)
				continue;
			*place += length;
			return text_decode(value + length, strcspn(value + length, "&;#"), path, size);
		}
	}
	return false;
}
