/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The question what became of a migration, asked by the source on a connection of its own.
 *
 * Policy: only what the target says is an answer, and by TLS the target is who proves the name that it had when it took
 * the guest; that nobody answers means nothing, nor does it that somebody answers who does not know the id. A question
 * with its answer has one limit for all of it.
 */
#ifndef VMM_MIGRATE_QUESTION_H
#define VMM_MIGRATE_QUESTION_H

#include "migrate/channel.h"
#include "migrate/handover.h"
#include "transfer/limits.h"

/*
 * Asks at most once each retry_ms until the target tells what became of the migration or `patience_ms` have passed, at
 * least once. 0 with an answer, if only the last was that the id is unknown, and with the connection open in *channel;
 * -errno and the last reason without one.
 */
int question_ask(struct channel *channel, const char *host, struct channel_terms *terms, const struct frame_id *id,
		 const struct handover_limits *limits, int patience_ms, enum frame_answer *answer, struct error *error);

/* What a question that ended so is to the source. */
enum source_event question_event(int result, enum frame_answer answer);

#endif
