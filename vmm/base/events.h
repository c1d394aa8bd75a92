/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Waiting for descriptors by a thread that has nothing better to do than to wait again.
 *
 * Policy: a signal, or a kernel without memory for a moment, is no reason to end what waits, nor to look without pause.
 */
#ifndef VMM_BASE_EVENTS_H
#define VMM_BASE_EVENTS_H

#include <poll.h>

/* As poll(), but if that fails: 0 after a short rest, and nothing is ready. */
int events_await(struct pollfd *items, nfds_t count, int limit_ms);

#endif
