/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * VMClock as a device: keeps the page in guest memory true.
 *
 * Policy: about once a second while the guest runs the host's clock is looked at. The page is written anew, with a
 * notification, when what it says does not hold any more, and before the guest runs: an idle guest is not woken for
 * what it can work out. The disruption marker moves when the guest's counter has not run on as it did: after each move
 * and restore, and when guest time goes on where it stopped. The generation moves when the machine comes out of a file.
 */
#ifndef VMM_DEV_WALLCLOCK_H
#define VMM_DEV_WALLCLOCK_H

#include "dev/device.h"
#include "dev/vmclock.h"
#include "host/memory.h"

/* How far the guest's counter is behind the host's, as in struct vmclock_guest; not called with the device's lock. */
struct wallclock_counter {
	uint64_t (*offset)(void *context);
	void *context;
};

struct wallclock {
	struct device device; /* first, so that it is the device; its lock covers what follows */
	struct memory *memory;
	struct wallclock_counter counter;
	struct vmclock_guest guest;
	struct vmclock_time told; /* as the page has it */
	bool running;
	bool written;	/* guest.offset is that of a counter that has run since */
	uint32_t start; /* counts start() */
};

/* The memory has the device's region; it and the counter's context live as long as the device. */
void wallclock_init(struct wallclock *wallclock, struct memory *memory, const struct wallclock_counter *counter,
		    const struct device_line *line);

/* The machine comes out of a file. It stands still. */
void wallclock_renew(struct wallclock *wallclock);

#endif
