/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The window of the virtio devices, where a guest reads their registers as memory, without an exit.
 *
 * Policy: the window shows what the devices' read() would answer to loads of 4 bytes, and nothing else has an answer of
 * its own. Whatever may have changed that is followed by window_show(), before the guest can know of it: before the
 * store that it made has ended, and before it is interrupted. Machines of older models have no window.
 *
 * A driver takes what it has read of the configuration for whole if ConfigGeneration was the same before and after. So
 * a word of the configuration comes before its generation, in order: while the generation stays, at most one word
 * changes, and what was read is as it was before or after that. Nothing helps if several words change at once, as the
 * size of a disk does that grows beyond 2 TiB: for the driver's four loads may all come between two of our stores,
 * wherever the generation's are among them, and it does not know, as readers of other such counters do, that an odd one
 * means to wait. So the window is hidden meanwhile: loads are exits then, which wait for the device's lock.
 * Source: Virtual I/O Device (VIRTIO) Version 1.2, section 2.5.3.
 */
#ifndef VMM_DEV_VIRTIO_WINDOW_H
#define VMM_DEV_VIRTIO_WINDOW_H

#include "base/lock.h"

#include <stdint.h>

struct virtio;

struct virtio_window {
	uint8_t *memory;  /* LAYOUT_VIRTIO_WINDOW_SIZE bytes, the guest's at LAYOUT_VIRTIO_BASE */
	int unheard;	  /* an eventfd that nobody reads, for stores without effect */
	struct lock lock; /* whoever has it hidden */
};

/* With the device's lock: the device's registers and configuration are shown as they are now. */
void window_show(struct virtio *virtio);
/* The same where its configuration has changed while the driver may read it. */
void window_show_change(struct virtio *virtio);

#endif
