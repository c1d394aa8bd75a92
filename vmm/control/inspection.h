/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An operator asks what a guest's kernel is: it is looked for.
 *
 * Policy: a query, since the search takes as long as the guest has memory.
 */
#ifndef VMM_CONTROL_INSPECTION_H
#define VMM_CONTROL_INSPECTION_H

#include "control/query.h"

/* On 0 it owns the client's connection. -EBUSY if another one is under way. */
int inspection_start(struct query *query, struct machine *machine, int client, struct error *error);

/* As doc/control.md has it. */
json_t *kernel_json(const struct kernel *kernel);

#endif
