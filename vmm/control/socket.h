/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where a machine's control socket is.
 *
 * Policy: a machine is found by its name, as NAME.sock in the control folder: SEACLOCK_DIR, or /run/seaclock. A machine
 * that seaclock@NAME.service runs has a user of its own, so its folder is another, which the unit names to its monitor:
 * /run/seaclock-units/NAME. That is looked at only by who names no folder.
 */
#ifndef VMM_CONTROL_SOCKET_H
#define VMM_CONTROL_SOCKET_H

#include "base/error.h"

#include <stdbool.h>
#include <sys/un.h>

/* How the names of a machine's sockets end: the one that operators use, and those of a process that takes it over. */
#define CONTROL_SOCKET ".sock"
#define CONTROL_SUCCESSOR ".next"
#define CONTROL_RENEWAL ".move"

const char *control_folder(void);

/* -EINVAL if it cannot be a machine's name, -ENAMETOOLONG if the folder's path is too long for a socket. */
int control_address(const char *name, struct sockaddr_un *address, struct error *error);
/* The same for a socket whose name ends otherwise. */
int control_address_beside(const char *name, const char *end, struct sockaddr_un *address, struct error *error);

/* The folder that has one of each unit; NULL if SEACLOCK_DIR names a folder. */
const char *control_units(void);

/* In the folder of the unit of a machine, whose name is valid; false if SEACLOCK_DIR names a folder. */
bool control_unit_address(const char *name, struct sockaddr_un *address);

#endif
