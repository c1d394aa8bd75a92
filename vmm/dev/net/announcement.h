/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What tells a network where a guest is from now on: a frame from its address, so that switches learn the way.
 *
 * Policy: pure; `now` is host_monotonic(). The frame is a RARP request, which asks nobody for anything; it is sent
 * ANNOUNCEMENT_TIMES times, the second after ANNOUNCEMENT_PAUSE_MS and each further one so much later again, for a
 * switch may not forward yet when it gets the first. Source: RFC 903.
 */
#ifndef VMM_DEV_NET_ANNOUNCEMENT_H
#define VMM_DEV_NET_ANNOUNCEMENT_H

#include "host/host.h"

#include <stdbool.h>

#define ANNOUNCEMENT_TIMES 5u
#define ANNOUNCEMENT_PAUSE_MS 50u
#define ANNOUNCEMENT_FRAME_SIZE 60u

struct announcement {
	uint32_t sent; /* ANNOUNCEMENT_TIMES: it is over */
	sc_ns_t due;   /* the next one */
};

void announcement_begin(struct announcement *announcement, sc_ns_t now);
void announcement_end(struct announcement *announcement);

/* Whether the next one is due, which counts as sent then. */
bool announcement_step(struct announcement *announcement, sc_ns_t now);
/* ms until one may be, rounded up; -1: none will. */
int announcement_timeout_ms(const struct announcement *announcement, sc_ns_t now);

void announcement_frame(const uint8_t mac[6], uint8_t frame[ANNOUNCEMENT_FRAME_SIZE]);

#endif
