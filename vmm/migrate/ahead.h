/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the guest has written reaches the disks' media while it runs.
 *
 * Policy: once the guest is stopped its disks are flushed, and what this host still has in memory could take long. So
 * it is flushed before, and again while that takes long; a disk that stays slow does not keep the machine here.
 */
#ifndef VMM_MIGRATE_AHEAD_H
#define VMM_MIGRATE_AHEAD_H

#include "machine/devices.h"
#include "transfer/hold.h"

/* A flush that takes less may be repeated while the guest stands still. */
#define AHEAD_SHORT_MS 50u
#define AHEAD_TRIES 3u
/* The limit of one wait. */
#define AHEAD_LIMIT_MS 5000

/*
 * Flushes, unless that was tried AHEAD_TRIES times, which *tries counts from 0. *enough becomes false if it took long:
 * pages were written meanwhile, and more may be left to flush. -errno and the sentence of what is watched.
 */
int ahead_flush(struct devices *devices, const struct hold_wait *wait, uint32_t *tries, bool *enough,
		struct error *error);

#endif
