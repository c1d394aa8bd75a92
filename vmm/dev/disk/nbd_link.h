/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The connection to a disk's server: when to connect, when to try again, when to stop waiting.
 *
 * Policy: pure; `now` is host_monotonic(). A connection that is lost is made again, at first after
 * NBD_LINK_PAUSE_MIN_MS, then after twice as long each time; an attempt that leads nowhere is given up. Requests wait
 * for a server that does not answer, whether it is away or silent, for as long as the operator says since the last
 * answer; then they fail, and so do new ones until there is a new connection. One that is connected has
 * NBD_LINK_SILENCE_MIN_MS at least.
 */
#ifndef VMM_DEV_DISK_NBD_LINK_H
#define VMM_DEV_DISK_NBD_LINK_H

#include "host/host.h"

#include <stdbool.h>
#include <stdint.h>

#define NBD_LINK_PAUSE_MIN_MS 20u
#define NBD_LINK_PAUSE_MAX_MS 2000u
/* One attempt, with TLS and all. */
#define NBD_LINK_ATTEMPT_MS 10000u
#define NBD_LINK_SILENCE_MIN_MS 10000u

enum nbd_link_state {
	NBD_LINK_AWAY,
	NBD_LINK_CONNECTING,
	NBD_LINK_UP,
};

enum nbd_link_action {
	NBD_LINK_NOTHING,
	NBD_LINK_CONNECT, /* begin an attempt */
	NBD_LINK_DROP,	  /* close what is there, then nbd_link_lost() */
	NBD_LINK_FAIL,	  /* all requests fail; a connection that is up is dropped first */
};

struct nbd_link {
	enum nbd_link_state state;
	sc_ns_t until; /* AWAY: the next attempt; CONNECTING: the end of this one; UP: the end of the first silence */
	uint32_t pause_ms;
	uint64_t patience_ms;
	bool waiting;	      /* there are requests */
	sc_ns_t waiting_from; /* since the first of them came, or the last answer */
	bool failing;	      /* patience is over */
};

/* Away; the first attempt is due at once. */
void nbd_link_init(struct nbd_link *link, uint32_t patience_s, sc_ns_t now);

/* What has happened. */
void nbd_link_connected(struct nbd_link *link, sc_ns_t now);
void nbd_link_lost(struct nbd_link *link, sc_ns_t now);
void nbd_link_answered(struct nbd_link *link, sc_ns_t now);
/* Whether there are requests; after each change. */
void nbd_link_wait(struct nbd_link *link, bool waiting, sc_ns_t now);

/* What is to be done now; to be asked again until it is nothing. */
enum nbd_link_action nbd_link_step(struct nbd_link *link, sc_ns_t now);

/* The time in ms, rounded up, until there may be something to do by time alone; -1: never. */
int nbd_link_timeout_ms(const struct nbd_link *link, sc_ns_t now);

#endif
