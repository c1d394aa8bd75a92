/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The folder of the control sockets, which all monitors of a user share.
 *
 * Policy: it belongs to the monitor's user, and nobody else may enter it. Whoever may write there could put a socket of
 * their own in place of a machine's, and would be given what a client sends.
 */
#ifndef VMM_CONTROL_FOLDER_H
#define VMM_CONTROL_FOLDER_H

#include "base/error.h"

/* Makes the folder if it is not there, and locks it as below; -EPERM if it is another user's, or open to others. */
int folder_open(const char *path, struct error *error);

/*
 * A descriptor; closing it unlocks. The lock makes taking a name, and giving it up, atomic among the monitors of this
 * folder. Otherwise two of them could find the socket of a killed third, and each remove what the other has made.
 */
int folder_lock(const char *path, struct error *error);

#endif
