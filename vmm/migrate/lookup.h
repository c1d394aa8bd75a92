/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Addresses of a name, without being at the resolver's mercy.
 *
 * Policy: getaddrinfo(3) cannot be ended, so it runs in a thread of its own, which is left to itself when nobody waits
 * for it any more.
 */
#ifndef VMM_MIGRATE_LOOKUP_H
#define VMM_MIGRATE_LOOKUP_H

#include "migrate/channel.h"

#include <netdb.h>

/*
 * As getaddrinfo(): 0 and *found, which the caller frees. -EHOSTUNREACH and the sentence if there is no such host, or
 * if that is not known by the deadline; -errno if what is watched (NULL: nothing) ends the wait.
 */
int lookup_run(const char *host, const char *port, const struct addrinfo *hints, sc_ns_t deadline,
	       const struct wait_watch *watch, struct addrinfo **found, struct error *error);

#endif
