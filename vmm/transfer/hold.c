/* SPDX-License-Identifier: BSD-2-Clause */
/* Prepare and hold: see the header. */
#include "transfer/hold.h"

#include "host/deadline.h"
#include "base/log.h"

#include <poll.h>
#include <sys/eventfd.h>

/* Asks, and waits until the guest is as it was asked to be. */
static int hold_ask(struct machine *machine, uint64_t asked, bool (*is_done)(struct clock *),
		    const struct hold_wait *wait, bool *done, struct error *error)
{
	struct clock *clock = &machine->clock;
	sc_ns_t deadline = deadline_after_ms(wait->limit_ms);
	bool ready = true;
	int result = 0;

	clock_request(clock, asked);
	*done = false;
	/* One that has declared another clock will not do it. */
	while (!result && ready && !*done && clock_follow(clock, 0, SC_MOVE_ASKED).level == SC_LEVEL_COOPERATIVE) {
		eventfd_t ignored;

		eventfd_read(clock->guest_event_fd, &ignored);
		*done = is_done(clock);
		if (!*done)
			result = wait_ready(clock->guest_event_fd, POLLIN, deadline, wait->watch, wait->watches, &ready,
					    error);
	}
	return result;
}

int hold_prepare(struct machine *machine, const struct hold_wait *wait, bool *prepared, struct error *error)
{
	return hold_ask(machine, SC_ASK_PREPARE, clock_is_prepared, wait, prepared, error);
}

int hold_begin(struct machine *machine, const struct hold_wait *wait, bool *held, struct error *error)
{
	int result = hold_ask(machine, SC_ASK_HOLD, clock_is_held, wait, held, error);

	if (result || *held)
		return result;
	/* It shall stay on the page. The hold may have come just before this. */
	clock_request(&machine->clock, SC_ASK_PREPARE);
	*held = clock_is_held(&machine->clock);
	return 0;
}

void hold_call_off(struct machine *machine)
{
	struct error error;

	clock_request(&machine->clock, SC_ASK_NOTHING);
	if (!clock_is_held(&machine->clock))
		return;
	vcpus_park(&machine->vcpus);
	if (machine_end_hold(machine, SC_HOLD_CALLED_OFF, &error)) {
		log_line("%s: %s", machine->config.name, error.text);
		machine_finish(machine, MACHINE_END_FAILED);
	}
	vcpus_unpark(&machine->vcpus);
}
