/* SPDX-License-Identifier: BSD-2-Clause */
/* The connection to a disk's server: see the header. */
#include "dev/disk/nbd_link.h"

#define NS_PER_MS 1000000ull
#define MS_PER_S 1000u

static sc_ns_t later(sc_ns_t now, uint64_t ms)
{
	return sc_ns(now.v + ms * NS_PER_MS);
}

void nbd_link_init(struct nbd_link *link, uint32_t patience_s, sc_ns_t now)
{
	*link = (struct nbd_link){
		.state = NBD_LINK_AWAY,
		.until = now,
		.pause_ms = NBD_LINK_PAUSE_MIN_MS,
		.patience_ms = (uint64_t)patience_s * MS_PER_S,
	};
}

void nbd_link_connected(struct nbd_link *link, sc_ns_t now)
{
	link->state = NBD_LINK_UP;
	link->until = later(now, NBD_LINK_SILENCE_MIN_MS);
	link->failing = false;
}

void nbd_link_lost(struct nbd_link *link, sc_ns_t now)
{
	link->state = NBD_LINK_AWAY;
	link->until = later(now, link->pause_ms);
	link->pause_ms = link->pause_ms < NBD_LINK_PAUSE_MAX_MS / 2 ? link->pause_ms * 2 : NBD_LINK_PAUSE_MAX_MS;
}

/* Only an answer proves a server: one that takes connections and breaks them has the longer pauses. */
void nbd_link_answered(struct nbd_link *link, sc_ns_t now)
{
	link->waiting_from = now;
	link->pause_ms = NBD_LINK_PAUSE_MIN_MS;
}

void nbd_link_wait(struct nbd_link *link, bool waiting, sc_ns_t now)
{
	if (waiting && !link->waiting)
		link->waiting_from = now;
	link->waiting = waiting;
}

/* When the requests that wait fail. */
static sc_ns_t patience_end(const struct nbd_link *link)
{
	uint64_t ms = link->failing ? 0 : link->patience_ms;
	sc_ns_t end;

	if (link->state == NBD_LINK_UP && ms < NBD_LINK_SILENCE_MIN_MS)
		ms = NBD_LINK_SILENCE_MIN_MS;
	end = later(link->waiting_from, ms);
	return link->state == NBD_LINK_UP && end.v < link->until.v ? link->until : end;
}

enum nbd_link_action nbd_link_step(struct nbd_link *link, sc_ns_t now)
{
	if (link->waiting && now.v >= patience_end(link).v) {
		link->failing = true;
		return NBD_LINK_FAIL;
	}
	if (link->state == NBD_LINK_UP || now.v < link->until.v)
		return NBD_LINK_NOTHING;
	if (link->state == NBD_LINK_CONNECTING)
		return NBD_LINK_DROP;
	link->state = NBD_LINK_CONNECTING;
	link->until = later(now, NBD_LINK_ATTEMPT_MS);
	return NBD_LINK_CONNECT;
}

int nbd_link_timeout_ms(const struct nbd_link *link, sc_ns_t now)
{
	uint64_t end = UINT64_MAX, ms;

	if (link->state != NBD_LINK_UP)
		end = link->until.v;
	if (link->waiting && patience_end(link).v < end)
		end = patience_end(link).v;
	if (end == UINT64_MAX)
		return -1;
	if (end <= now.v)
		return 0;
	ms = (end - now.v + NS_PER_MS - 1) / NS_PER_MS;
	return ms < INT32_MAX ? (int)ms : INT32_MAX;
}
