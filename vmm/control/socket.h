/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where a machine's control socket is.
 *
 * Policy: a machine is found by its name, as NAME.sock in the control folder: SEACLOCK_DIR, or /run/seaclock.
 */
#ifndef VMM_CONTROL_SOCKET_H
#define VMM_CONTROL_SOCKET_H

#include "base/error.h"

#include <sys/un.h>

const char *control_folder(void);

/* -EINVAL if it cannot be a machine's name, -ENAMETOOLONG if the folder's path is too long for a socket. */
int control_address(const char *name, struct sockaddr_un *address, struct error *error);

#endif
