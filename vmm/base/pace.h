/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How much of a processor a thread may take that works whenever its guest wants it to.
 *
 * Policy: pure. A twelfth, in the long run: whoever has worked rests eleven times as long, once a debt of work has
 * gathered. So bursts are served at once, and only a guest that asks without pause waits, 0.1 s at most. What counts is
 * the thread's own time on a processor, with what it takes to sleep and to wake, and not how long others held it up.
 */
#ifndef VMM_BASE_PACE_H
#define VMM_BASE_PACE_H

#include <seaclock/core.h>

/* One part of so many. */
#define PACE_SHARE 12u

#define PACE_REST_MAX_NS 100000000u

/* The work that is not made up for by rest. */
#define PACE_DEBT_MAX_NS (PACE_REST_MAX_NS / PACE_SHARE)

struct pace {
	sc_ns_t now, worked; /* of the last call; 0: there was none */
	uint64_t debt_ns;
};

/*
 * At this time the thread has had so much of a processor, since it was started: how long it must rest now, at most
 * PACE_REST_MAX_NS. Of what it has worked since the last call no more than a whole debt counts.
 */
sc_ns_t pace_work(struct pace *pace, sc_ns_t now, sc_ns_t worked);

#endif
