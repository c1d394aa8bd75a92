/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a service manager such as systemd passes on, and what it is told: sd_listen_fds(3), sd_notify(3).
 *
 * Policy: the protocol is two variables and one datagram, so no library is linked for it. Without these variables none
 * of this does anything.
 */
#ifndef VMM_COMMAND_MANAGER_H
#define VMM_COMMAND_MANAGER_H

#include "base/error.h"

#include <sys/types.h>

/*
 * How many sockets are passed on, by the texts of LISTEN_PID and LISTEN_FDS, to the process `self`: 0 if a text is NULL
 * or they are another process's, -EPROTO if a text is no number of sockets, up to 16.
 */
int manager_count(const char *pid, const char *sockets, pid_t self, struct error *error);

/*
 * Of the sockets that were passed on to this process, the first that a connection waits at; -1: there is none. The
 * others are closed. To be called once. -EPROTO as above.
 */
int manager_caller(int *listener, struct error *error);

/* The service is up; and this process is its main one. A manager that does not hear it is no reason to end anything. */
void manager_ready(void);
void manager_tell_main(void);

#endif
