/* SPDX-License-Identifier: BSD-2-Clause */
/* The last thing that a receiver does: see the header. */
#include "migrate/linger.h"

#include "host/deadline.h"

#include <poll.h>

bool linger_is_due(const struct incoming *incoming)
{
	return ledger_owes(&incoming->ledger) && deadline_left_ms(incoming->owes_until);
}

void linger_run(struct incoming *incoming, const struct wait_watch *watch)
{
	sc_ns_t deadline = deadline_after_ms(incoming->limits->linger_ms);
	struct error ignored;
	bool ready = true;
	int result = 0;

	incoming->ending = true;
	if (incoming->owes_until.v < deadline.v)
		deadline = incoming->owes_until;
	while (!result && ready && ledger_owes(&incoming->ledger)) {
		result = wait_ready(incoming->events, POLLIN, deadline, watch, watch ? 1 : 0, &ready, &ignored);
		incoming_serve(incoming);
	}
}
