/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The file that this process's program came from, and whether another stands in its place by now, as after an upgrade.
 *
 * Source: proc(5), /proc/PID/exe.
 */
#ifndef VMM_BASE_PROGRAM_H
#define VMM_BASE_PROGRAM_H

#include <stdbool.h>

/* Remembers the file, if the system says which it is. Once, before the process is held to what it may open. */
void program_note(void);

/* Whether another file has its path. False if none has, or if it is not known. */
bool program_is_replaced(void);

#endif
