/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A connection to a machine's control socket, found by the machine's name.
 *
 * Policy: the control folder is looked at first. Unless SEACLOCK_DIR names one, the folder of a unit of that name is
 * looked at next. A monitor that a guest has taken over can replace what is in its own folder by a link to another
 * machine's socket: so whoever listens has to be the user who owns the folder that he was found in.
 */
#ifndef VMM_CONTROL_CONNECTION_H
#define VMM_CONTROL_CONNECTION_H

#include "base/error.h"
#include "base/name.h"

#include <stddef.h>

/*
 * *fd does not block. -EINVAL: no machine can have that name; -ESRCH: none of it runs here; -ETIMEDOUT: its monitor
 * accepts nobody; -EACCES: it may run here as another user's; -EPERM: another user than the folder's listens there.
 */
int connection_open(const char *name, int *fd, struct error *error);

/* Says that the monitor of `name` is silent: -ETIMEDOUT. */
int connection_silent(const char *name, struct error *error);

/*
 * The names of all machines whose sockets are here, each once; the caller frees the array. A socket may be left of a
 * monitor that was killed. -errno if the control folder is there and cannot be read, -ENOMEM.
 */
int connection_names(char (**names)[NAME_SIZE], size_t *count, struct error *error);

#endif
