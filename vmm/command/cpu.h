/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The processor on the command line: what --cpu takes.
 *
 * Policy: a file is what `seaclock baseline --json` has printed, of which only `cpu` counts.
 */
#ifndef VMM_COMMAND_CPU_H
#define VMM_COMMAND_CPU_H

#include "base/error.h"
#include "host/identity.h"

/* "host", which is no difference, or a file. -EBADMSG: it has something else; and as file_read(). */
int cpu_parse(const char *word, struct identity *cpu, struct error *error);

#endif
