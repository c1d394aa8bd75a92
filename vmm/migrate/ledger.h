/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a receiver knows of migrations by their ids: the one that is under way or whose guest runs here, and those that
 * it has promised never to run.
 *
 * Policy: each id has one of the target's states, and only target_step() changes it. A promise is kept as long as the
 * process lives for the last LEDGER_SIZE ids; of an older one the answer is that it is unknown, which promises nothing.
 * A migration belongs to the host that began it.
 */
#ifndef VMM_MIGRATE_LEDGER_H
#define VMM_MIGRATE_LEDGER_H

#include "transfer/frame.h"
#include "migrate/handover.h"

#define LEDGER_SIZE 16u

struct ledger {
	struct {
		struct frame_id id;
		const char *host; /* who began it; "" if that cannot be known */
		enum target_state state;
		bool owes; /* it was ready: its source may ask what became of it, and has not heard yet */
	} entry[LEDGER_SIZE];
	uint64_t opened; /* ids so far; the newest is at (opened - 1) % LEDGER_SIZE */
};

/* A new migration of a host, in TARGET_LOADING. -EEXIST with a sentence if its id was here before. */
int ledger_open(struct ledger *ledger, const struct frame_id *id, const char *host, struct error *error);
/* True if the id is known, and that host began it. */
bool ledger_is_from(const struct ledger *ledger, const struct frame_id *id, const char *host);

/* The state of an id; false if it is unknown. */
bool ledger_find(const struct ledger *ledger, const struct frame_id *id, enum target_state *state);

/* An event for a known id; for an unknown one there is nothing to do. */
enum target_action ledger_step(struct ledger *ledger, const struct frame_id *id, enum target_event event);

/* The source of that id has heard what became of its migration. */
void ledger_tell(struct ledger *ledger, const struct frame_id *id);
/* True if the source of that id may ask; if any may. */
bool ledger_owes_to(const struct ledger *ledger, const struct frame_id *id);
bool ledger_owes(const struct ledger *ledger);

/* The answer to a question; a migration that has not had its GO is thereby given up. */
enum frame_answer ledger_answer(struct ledger *ledger, const struct frame_id *id);

#endif
