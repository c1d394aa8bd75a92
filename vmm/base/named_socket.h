/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Unix sockets that have a name in a folder: unix(7).
 *
 * Policy: such a socket is its owner's alone from the start. Its name outlives a process that is killed, so whoever
 * wants the name looks first whether somebody still listens there.
 */
#ifndef VMM_BASE_NAMED_SOCKET_H
#define VMM_BASE_NAMED_SOCKET_H

#include <stdbool.h>
#include <sys/un.h>

/* Whether there is a socket of that name, and nobody listens on it any more. It does not block. */
bool named_socket_is_dead(const struct sockaddr_un *address);

/*
 * Listens, on a name that is free or on which nobody listens any more: 0 or -errno, and then *fd is -1. It does not
 * block.
 */
int named_socket_listen(const struct sockaddr_un *address, int *fd);

#endif
