/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Time stamps over the migration connection.
 *
 * Policy: taken in bursts while the stream is quiet, for behind page data a round trip grows by orders of magnitude.
 * The stamps are raw counters at their stated rates; the arithmetic is the core's.
 */
#ifndef VMM_MIGRATE_STAMPS_H
#define VMM_MIGRATE_STAMPS_H

#include "migrate/channel.h"

/* The source asks for the target's statement, and then for as many stamps as the limits say. */
int stamps_burst(struct channel *channel, struct sc_offset *handoff, struct error *error);

/* The target answers one. `received` was taken as soon as the frame was there. */
int stamps_answer(struct channel *channel, sc_ns_t received, struct error *error);

/* The target tells how well its clock is synchronised. */
int stamps_answer_clock(struct channel *channel, struct error *error);

#endif
