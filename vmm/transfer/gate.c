/* SPDX-License-Identifier: BSD-2-Clause */
/* The point of no return: see the header. */
#include "transfer/gate.h"

#include <errno.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum gate_state {
	GATE_OPEN,
	GATE_HANDED,
	GATE_CANCELLED
};

int gate_open(struct gate *gate, struct error *error)
{
	*gate = (struct gate){ .state = GATE_OPEN, .cancelled = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK) };
	return gate->cancelled < 0 ? error_set(error, errno, "no event descriptor (%s)", strerror(errno)) : 0;
}

void gate_close(struct gate *gate)
{
	if (gate->cancelled >= 0)
		close(gate->cancelled);
	gate->cancelled = -1;
}

/* True if the gate is now, or was already, in that state. */
static bool gate_set(struct gate *gate, int state)
{
	int before = GATE_OPEN;

	return __atomic_compare_exchange_n(&gate->state, &before, state, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST) ||
	       before == state;
}

bool gate_cancel(struct gate *gate)
{
	bool cancelled = gate_set(gate, GATE_CANCELLED);

	if (cancelled)
		eventfd_write(gate->cancelled, 1);
	return cancelled;
}

bool gate_pass(struct gate *gate)
{
	return gate_set(gate, GATE_HANDED);
}

bool gate_is_cancelled(const struct gate *gate)
{
	return __atomic_load_n(&gate->state, __ATOMIC_SEQ_CST) == GATE_CANCELLED;
}

int gate_on_cancel(void *context, struct error *error)
{
	(void)context;
	return error_set(error, ECANCELED, "the migration was cancelled");
}
