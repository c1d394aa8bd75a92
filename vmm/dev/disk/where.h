/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where a disk is, as an operator names it: a path, or the URI of an NBD export.
 *
 * Policy: pure; it looks at the name alone. Schemes are in either case (RFC 3986, section 3.1).
 */
#ifndef VMM_DEV_DISK_WHERE_H
#define VMM_DEV_DISK_WHERE_H

#include <stdbool.h>

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

#endif
