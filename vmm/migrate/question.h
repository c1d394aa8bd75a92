/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The question what became of a migration, asked by the source on a connection of its own.
 *
 * Policy: only what the target says is an answer; that nobody answers means nothing.
 */
#ifndef VMM_MIGRATE_QUESTION_H
#define VMM_MIGRATE_QUESTION_H

#include "migrate/channel.h"
#include "migrate/handover.h"

/*
 * Asks at most once each retry_ms until somebody answers or `patience_ms` have passed, at least once. With an answer
 * the connection stays open in *channel. -errno and the last reason without one.
 */
int question_ask(struct channel *channel, const char *host, const struct frame_id *id,
		 const struct handover_limits *limits, int patience_ms, enum frame_answer *answer, struct error *error);

#endif
