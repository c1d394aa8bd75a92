/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * `seaclock receive`: waits until a machine runs here that another host gives away, then serves it to its end.
 *
 * Policy: whoever connects and is no good costs a line in the log and nothing else; the wait ends with a machine that
 * runs, or with a signal. What was promised never to run here is remembered meanwhile (migrate/ledger.h).
 */
#ifndef VMM_COMMAND_RECEIVE_H
#define VMM_COMMAND_RECEIVE_H

#include "machine/machine.h"

struct receive_options {
	const char *name; /* NULL: the machine's own */
	const char *listen;
	const char *console; /* as for console_open() */
};

/* How the machine ended; MACHINE_END_STOPPED if a signal came before there was one. */
int receive_run(const struct receive_options *options, enum machine_end *end, struct error *error);

#endif
