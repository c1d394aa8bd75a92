/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The signals of a monitor.
 *
 * Policy: nothing that a monitor writes can end or stop it: a pipe without a reader, a file at its size limit and the
 * terminal of a background job are errors of the call instead (EPIPE, EFBIG, EIO). The orders to end, SIGINT, SIGTERM
 * and SIGHUP, are blocked in all threads; one stays pending until serve_run() or receive_run() reads it, and every step
 * before that which may take long looks for it.
 */
#ifndef VMM_BASE_SIGNALS_H
#define VMM_BASE_SIGNALS_H

#include "base/error.h"

/* Call first, before any thread is made. */
void signals_prepare(void);

/* A descriptor that is readable once an order to end has come; -1 and errno. */
int signals_open(void);

/* Takes the order from that descriptor: the signal's name; NULL if there is none. */
const char *signals_take(int fd);

/* 0; or -EINTR and the sentence while an order to end waits, which stays where it is. */
int signals_check(struct error *error);

/* ---- Of a client, which an order ends at once ---- */

/* Before that it does this, which may call only what signal-safety(7) lists. */
void signals_clean_by(void (*clean)(void));

/* From here on orders wait. */
void signals_hold(void);

#endif
