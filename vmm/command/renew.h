/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * `seaclock renew`: moves a running machine to a process of this program, on the same host.
 *
 * Policy: a local migration and nothing else. This command starts the process that receives, and asks the machine's
 * monitor to migrate to it, over a Unix socket in the control folder. So whatever fails before the handover fails as in
 * any migration, and a monitor of an earlier release can be renewed. The new process has the old one's name once that
 * has moved the machine (control/naming.h). It is this command's own: it has its user, its sandbox and its cgroup, but
 * a session of its own, and no terminal.
 */
#ifndef VMM_COMMAND_RENEW_H
#define VMM_COMMAND_RENEW_H

#include <stdbool.h>
#include <stdint.h>

struct renew_options {
	const char *console;  /* as for console_open(); standard input and output are /dev/null */
	const char *sandbox;  /* NULL: not said */
	uint32_t downtime_ms; /* 0: not said */
	uint32_t max_step_us; /* 0: not said */
	bool json;
};

#endif
