/* SPDX-License-Identifier: BSD-2-Clause */
/* `seaclock run`: boots a guest and serves it to its end. */
#ifndef VMM_COMMAND_RUN_H
#define VMM_COMMAND_RUN_H

#include "machine/machine.h"

struct run_options {
	struct machine_config config;
	const char *kernel;
	const char *initrd; /* NULL: none */
	const char *append;
	const char *console; /* as for console_open() */
};

int run_boot(const struct run_options *options, enum machine_end *end, struct error *error);

#endif
