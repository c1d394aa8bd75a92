/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The point of no return of a migration: either the operator calls it off or the source hands the guest over, whoever
 * comes first. One atomic decision, so that the answer to a cancel is definite.
 */
#ifndef VMM_TRANSFER_GATE_H
#define VMM_TRANSFER_GATE_H

#include "base/error.h"

#include <stdbool.h>

struct gate {
	int state;     /* enum gate_state, atomic */
	int cancelled; /* eventfd: readable once the migration is called off */
};

/* Open; -errno without a descriptor. */
int gate_open(struct gate *gate, struct error *error);
void gate_close(struct gate *gate);

/* True if the migration is called off for good, false if the guest has been handed over already. */
bool gate_cancel(struct gate *gate);
/* True if the guest may be handed over, false if the migration was called off. */
bool gate_pass(struct gate *gate);

/* True once it was called off. */
bool gate_is_cancelled(const struct gate *gate);

/* A wait_watch_fn for `cancelled`: -ECANCELED and the sentence. */
int gate_on_cancel(void *context, struct error *error);

#endif
