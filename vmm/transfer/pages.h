/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Guest memory as frames: PAGES for contents, ZEROES for pages without any.
 *
 * Policy: a run of pages goes out as it is now; whoever needs a consistent picture holds the vCPUs. What comes in is
 * hostile: memory that the guest does not have is refused.
 */
#ifndef VMM_TRANSFER_PAGES_H
#define VMM_TRANSFER_PAGES_H

#include "host/memory.h"
#include "transfer/sink.h"

/*
 * Sends `count` pages of guest memory from page `page` on; at most FRAME_PAGES_MAX. Pages that are known to have been
 * `written` are not looked up first, which spares a call.
 */
int pages_put(struct sink *sink, const struct memory *memory, uint64_t page, uint32_t count, bool written,
	      struct error *error);

/* Puts a PAGES or a ZEROES frame into guest memory; -EPROTO. */
int pages_load(struct memory *memory, const struct frame *frame, struct error *error);

#endif
