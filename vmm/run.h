/* SPDX-License-Identifier: BSD-2-Clause */
/* The commands that are a machine's monitor: one boots a guest, one receives one, one takes it from a file. */
#ifndef VMM_RUN_H
#define VMM_RUN_H

#include "machine.h"
#include "snapshot/restore.h"

struct run_options {
	struct machine_config config;
	const char *kernel;
	const char *initrd; /* NULL: none */
	const char *append;
	const char *console; /* as for console_open() */
};

int run_boot(const struct run_options *options, enum machine_end *end, struct error *error);

struct receive_options {
	const char *name; /* NULL: the machine's own */
	const char *listen;
	const char *console;
};

int run_restore(const struct restore_options *options, const char *console, enum machine_end *end, struct error *error);

int run_receive(const struct receive_options *options, enum machine_end *end, struct error *error);

#endif
