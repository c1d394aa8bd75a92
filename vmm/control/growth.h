/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A disk that an operator has made larger: its size is asked for.
 *
 * Policy: a query, since a server may not answer.
 */
#ifndef VMM_CONTROL_GROWTH_H
#define VMM_CONTROL_GROWTH_H

#include "control/query.h"

struct growth {
	struct query query;
	uint32_t disk;
};

/* On 0 it owns the client's connection. -EBUSY if another one is under way. */
int growth_start(struct growth *growth, struct machine *machine, int client, uint32_t disk, struct error *error);

#endif
