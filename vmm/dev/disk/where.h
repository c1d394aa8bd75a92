/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where a disk is, as an operator names it: a path, or the URI of an NBD export.
 *
 * Policy: pure; it looks at the name alone. Schemes are in either case (RFC 3986, section 3.1).
 */
#ifndef VMM_DEV_DISK_WHERE_H
#define VMM_DEV_DISK_WHERE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* For sentences: all schemes of servers. */
#define WHERE_SCHEMES "nbd://, nbds://, nbd+unix:// or nbds+unix://"

/* Any URI, also one of a scheme that no disk has. */
bool where_is_uri(const char *where);

/* The URI of a server, as libnbd takes it. */
bool where_is_remote(const char *where);

/*
 * Whether it names the same disk on every host: the URI of a server that is reached by an address of its own. False for
 * paths, sockets, and a server at this host's own address (localhost, 127.0.0.0/8, ::1, an address that is missing or
 * 0), of one link (fe80::/10), or written with escapes. A name that only the resolver knows to be this host's is not
 * recognized.
 */
bool where_is_shared(const char *where);

/* The TCP port of a server's URI: NBD's own if it names none, 0 if it is reached by a socket or the port is none. */
uint16_t where_port(const char *where);

/*
 * The next file or folder of keys that a URI names (tls-certificates, tls-psk-file), from *place on, which begins with
 * the URI and is moved behind it. False if there is no more, or it does not fit.
 */
bool where_keys(const char **place, char *path, size_t size);

#endif
