/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * `seaclock restore`: takes a machine out of a file, then serves it to its end.
 *
 * Policy: the control socket is open before the guest runs, for a running guest must not be lost to a name. What was
 * done to the guest's clock goes to the log.
 */
#ifndef VMM_COMMAND_RESTORE_H
#define VMM_COMMAND_RESTORE_H

#include "snapshot/restore.h"

/* `console_name` is as for console_open(). */
int restoring_run(const struct restore_options *options, const char *console_name, enum machine_end *end,
		  struct error *error);

#endif
