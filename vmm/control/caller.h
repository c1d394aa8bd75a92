/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Who is at the other end of a control connection, as the kernel says (SO_PEERCRED, unix(7)).
 *
 * Policy: the modes of the folder and of the socket keep others away. That they do is not relied on: a connection that
 * another user has got all the same, such as by an inherited descriptor, is closed unread.
 */
#ifndef VMM_CONTROL_CALLER_H
#define VMM_CONTROL_CALLER_H

#include <stdbool.h>

/* The monitor's user, or root. */
bool caller_may(int client);

/* A line in the log: who has given this order. */
void caller_log(int client, const char *order);

#endif
