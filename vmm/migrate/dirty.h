/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The pages that a round of pre-copy has to send.
 *
 * Policy: the first round sends everything; each later one what KVM or the monitor saw written since. Logging is on
 * from before the first page is read until the migration ends either way.
 */
#ifndef VMM_MIGRATE_DIRTY_H
#define VMM_MIGRATE_DIRTY_H

#include "host/host.h"
#include "host/memory.h"

struct dirty {
	struct host_vm *vm;
	struct memory *memory;
	uint64_t *bitmap;
	size_t words;
	uint64_t pages; /* bits set */
};

int dirty_start(struct dirty *dirty, struct host_vm *vm, struct memory *memory, struct error *error);
void dirty_stop(struct dirty *dirty);

/* Adds what has been written since the last call. */
int dirty_collect(struct dirty *dirty, struct error *error);

/* Takes the next run of at most `limit` contiguous pages from page *page on; false at the end. */
bool dirty_take(struct dirty *dirty, uint64_t *page, uint32_t limit, uint32_t *count);

#endif
