/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Rounds of guest memory from the source to the target.
 *
 * Policy: pages go out while the guest runs, until what is left can be sent within the downtime that is aimed at, and
 * then for as long as each round at least halves it. Other work lies between that and the stop, so one more round sends
 * what was written meanwhile: the guest stands still only for what it writes during that one. A guest that writes
 * faster than the connection carries, or than the operator lets it, is refused after a number of rounds, not stopped
 * for long. The operator's bound is for the time in which the guest runs.
 */
#ifndef VMM_MIGRATE_PRECOPY_H
#define VMM_MIGRATE_PRECOPY_H

#include "machine/devices.h"
#include "migrate/bucket.h"
#include "migrate/channel.h"
#include "migrate/dirty.h"

#define PRECOPY_MISSES_MAX 30u
#define PRECOPY_GAINS_MAX 8u
/* So few are sent in less time than a round takes. */
#define PRECOPY_FEW_PAGES 32u

/* How far it is. */
struct precopy_progress {
	uint32_t round; /* the one that is under way, from 1 */
	uint64_t bytes_left;
	uint64_t bytes_sent;
	uint64_t rate;	      /* bytes a second */
	uint64_t downtime_ns; /* expected for the pages that are left */
};

typedef void (*precopy_progress_fn)(void *context, const struct precopy_progress *progress);

struct precopy_speed {
	uint64_t bytes;
	uint64_t ns;
};

struct precopy {
	struct channel *channel;
	struct devices *devices; /* for which the kernel may write to memory; NULL: none */
	struct dirty dirty;
	uint64_t downtime_ns;	      /* aimed at */
	struct bucket bucket;	      /* with the operator's bound */
	precopy_progress_fn progress; /* told now and then, and at the end of each round; NULL: nobody */
	void *context;
	uint32_t rounds;
	sc_ns_t began;	      /* the last round, */
	uint64_t round_pages; /* of so many pages */
	uint64_t sent_before;
	uint64_t taken; /* from the bucket, of what was sent */
	struct precopy_speed speed;
	uint32_t misses; /* rounds after which the rest did not fit, */
	uint32_t gains;	 /* and those after which it did, and was halved */
	sc_ns_t told;
};

/* The caller has set `channel`, `devices`, `downtime_ns`, the bucket's rate, `progress` and `context`. */
int precopy_start(struct precopy *precopy, struct host_vm *vm, struct memory *memory, struct error *error);
void precopy_stop(struct precopy *precopy);

/* Sends all pages collected so far, waits until the target has them, and collects what was written meanwhile. */
int precopy_round(struct precopy *precopy, struct error *error);

/*
 * After each round: true if the pages left fit into the downtime aimed at, and another round would not pay. -ENOBUFS if
 * they did not fit too many times.
 */
int precopy_check(struct precopy *precopy, bool *enough, struct error *error);

/*
 * Right before the stop: a round of what was left and of what was written since. True if what is left now still fits;
 * it counts with those above.
 */
int precopy_catch_up(struct precopy *precopy, bool *enough, struct error *error);

/* The last pages; all vCPUs are held. */
int precopy_finish(struct precopy *precopy, struct error *error);

#endif
