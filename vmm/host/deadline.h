/* SPDX-License-Identifier: BSD-2-Clause */
/* Limits of waits: a moment of the monotonic clock, and what is left until it, as poll() wants it. */
#ifndef VMM_HOST_DEADLINE_H
#define VMM_HOST_DEADLINE_H

#include <seaclock/core.h>

sc_ns_t deadline_after_ms(int ms);

/* Rounded up, so that a wait does not end before its limit; 0 once it has passed, INT_MAX at most. */
int deadline_left_ms(sc_ns_t deadline);

/* The end of the first of so many equal parts of what is left. */
sc_ns_t deadline_share(sc_ns_t deadline, uint32_t parts);

#endif
