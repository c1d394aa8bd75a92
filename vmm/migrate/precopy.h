/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Rounds of guest memory from the source to the target.
 *
 * Policy: pages go out while the guest runs, until what is left can be sent within the downtime that is aimed at. A
 * guest that writes faster than the connection carries is refused after a number of rounds, not stopped for long.
 */
#ifndef VMM_MIGRATE_PRECOPY_H
#define VMM_MIGRATE_PRECOPY_H

#include "migrate/channel.h"
#include "migrate/dirty.h"

#define PRECOPY_ROUNDS_MAX 30u
#define PRECOPY_DOWNTIME_NS 300000000ull

struct precopy {
	struct channel *channel;
	struct dirty dirty;
	uint32_t rounds;
	uint64_t round_bytes;
	uint64_t round_ns;
};

int precopy_start(struct precopy *precopy, struct channel *channel, struct host_vm *vm, struct memory *memory,
		  struct error *error);
void precopy_stop(struct precopy *precopy);

/* Sends all pages collected so far, waits until the target has them, and collects what was written meanwhile. */
int precopy_round(struct precopy *precopy, struct error *error);

/* True if the pages left fit into the downtime aimed at. -ENOBUFS after too many rounds. */
int precopy_check(const struct precopy *precopy, bool *enough, struct error *error);

/* The last pages; all vCPUs are held. */
int precopy_finish(struct precopy *precopy, struct error *error);

#endif
