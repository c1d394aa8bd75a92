/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How much of the host's time a thread may take that works whenever its guest wants it to.
 *
 * Policy: pure. A tenth of the time, in the long run: whoever has worked rests nine times as long, once a debt of work
 * has gathered. So bursts are served at once, and only a guest that asks without pause waits, 10 ms at most. Of a piece
 * of work no more than a whole debt counts: who is interrupted in it by others does not make up for that.
 */
#ifndef VMM_BASE_PACE_H
#define VMM_BASE_PACE_H

#include <seaclock/core.h>

/* One part of so many. */
#define PACE_SHARE 10u

#define PACE_REST_MAX_NS 10000000u

/* The work that is not made up for by rest. */
#define PACE_DEBT_MAX_NS (PACE_REST_MAX_NS / (PACE_SHARE - 1))

struct pace {
	sc_ns_t ended; /* the last piece of work */
	uint64_t debt_ns;
};

/* The thread has worked from `began` to `ended`: how long it must rest now, at most PACE_REST_MAX_NS. */
sc_ns_t pace_work(struct pace *pace, sc_ns_t began, sc_ns_t ended);

#endif
