/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Timers of a guest that are late: what an operator looks at when a guest hangs.
 *
 * Policy: a look, under the clock's lock, that changes nothing and asks nobody. What lasts less than a second is no
 * news.
 */
#ifndef VMM_MACHINE_LATE_H
#define VMM_MACHINE_LATE_H

#include "machine/clock.h"

/* What is unusual about a timer. */
enum late_delay {
	LATE_OVERDUE,  /* due, and the monitor has not noticed */
	LATE_WAITS,    /* expired, and the guest cannot be given it yet: its interrupt is active, its slot taken, ... */
	LATE_ASSERTED, /* its line is up, and the guest has not written the timer */
};

struct late_timer {
	uint32_t vp;
	uint32_t timer;
	enum late_delay delay;
	sc_ns_t since; /* for so long */
};

/* Timers that have been so for a second or longer; their number. Nothing is late while time stands still. */
#define LATE_TIMERS_MAX (SC_VCPU_MAX * SC_STIMER_COUNT)
uint32_t late_timers(struct clock *clock, struct late_timer late[LATE_TIMERS_MAX]);
const char *late_delay_name(enum late_delay delay);

#endif
