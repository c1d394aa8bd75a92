/* SPDX-License-Identifier: BSD-2-Clause */
/* The options of `seaclock run`. */
#ifndef VMM_COMMAND_RUN_H
#define VMM_COMMAND_RUN_H

#include "command/describe.h"

struct run_options {
	struct describe_options machine;
	const char *console; /* as for console_open() */
	const char *sandbox; /* NULL: not said */
};

#endif
