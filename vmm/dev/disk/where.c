/* SPDX-License-Identifier: BSD-2-Clause */
/* Where a disk is: see the header. */
#include "dev/disk/where.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define SCHEME_END "://"

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
