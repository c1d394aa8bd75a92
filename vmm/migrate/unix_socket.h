/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Migration sockets within one host: a path from the root in an address's place.
 *
 * Policy: nobody else on the host can read or reach such a connection, so it needs no TLS and has none. Who is at the
 * other end is known from the kernel (SO_PEERCRED, unix(7)): this process's user, or root, and on neither side anybody
 * else, wherever the path leads.
 */
#ifndef VMM_MIGRATE_UNIX_SOCKET_H
#define VMM_MIGRATE_UNIX_SOCKET_H

#include "base/error.h"

#include <stdbool.h>
#include <sys/socket.h>

/* Whether an address, as an operator types it, is such a path; and whether a socket is of that kind. */
bool unix_socket_is_path(const char *address);
bool unix_socket_is(int fd);

/* A connected socket, or -errno and the sentence: nobody listens there, or not who should. */
int unix_socket_connect(const char *path, struct error *error);

/*
 * Listens, until unix_socket_close(); what a receiver that was killed has left of that name goes. -EADDRINUSE and other
 * -errno, with the sentence.
 */
int unix_socket_listen(const char *path, int *listener, struct error *error);
/* Takes the name away; of a socket of another kind, nothing. Before it is closed. */
void unix_socket_remove(int listener);

/* Of a connection that was accepted: -EACCES and the sentence if it is another user's. 0 of one of another kind. */
int unix_socket_check_peer(int fd, struct error *error);

/* Where it is, from what the kernel says of the one end or the other; false for one of another kind. */
bool unix_socket_path(const struct sockaddr_storage *address, socklen_t size, char *text, size_t room);

#endif
