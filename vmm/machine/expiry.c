/* SPDX-License-Identifier: BSD-2-Clause */
/* The thread of a machine's synthetic timers: see the header. */
#include "machine/expiry.h"

#include "base/events.h"
#include "base/pace.h"
#include "base/thread.h"
#include "machine/restart.h"

#include <poll.h>
#include <string.h>
#include <sys/eventfd.h>

#define TICK_NS 1000000000u

/* Raises what is due. */
static void expiry_raise(struct machine *machine)
{
	clock_expire(&machine->clock);
	if (!clock_needs_latch(&machine->clock))
		return;
	vcpus_park(&machine->vcpus);
	clock_latch(&machine->clock);
	vcpus_unpark(&machine->vcpus);
}

/* False if the machine closes meanwhile. */
static bool expiry_rest(struct machine *machine, sc_ns_t rest)
{
	struct pollfd closing = { .fd = machine->closing, .events = POLLIN };
	const struct timespec limit = { .tv_nsec = (long)rest.v };

	return !rest.v || ppoll(&closing, 1, &limit, NULL) <= 0;
}

static void expiry_tick(struct machine *machine)
{
	host_timer_acknowledge(machine->tick);
	devices_tick(&machine->devices);
	host_timer_arm(machine->tick, sc_ns(TICK_NS));
}

static void *expiry_thread(void *context)
{
	struct machine *machine = context;
	struct pace pace = { 0 };
	struct pollfd wait[4] = {
		{ .fd = machine->clock.timer, .events = POLLIN },
		{ .fd = machine->closing, .events = POLLIN },
		{ .fd = machine->tick, .events = POLLIN },
		{ .fd = machine->restarting, .events = POLLIN },
	};

	for (;;) {
		events_await(wait, sizeof(wait) / sizeof(wait[0]), -1);
		if (wait[1].revents)
			break;
		if (wait[2].revents)
			expiry_tick(machine);
		if (wait[3].revents)
			restart_run(machine);
		expiry_raise(machine);
		if (!expiry_rest(machine, pace_work(&pace, host_monotonic(), host_thread_time())))
			break;
	}
	return NULL;
}

int expiry_start(struct machine *machine, struct error *error)
{
	int result;

	if (devices_want_ticks(&machine->devices))
		host_timer_arm(machine->tick, sc_ns(TICK_NS));
	result = thread_start(&machine->timers, THREAD_TIMERS, expiry_thread, machine);

	if (result)
		return error_set(error, result, "no thread for the timers (%s)", strerror(result));
	machine->timers_started = true;
	return 0;
}

void expiry_stop(struct machine *machine)
{
	if (!machine->timers_started)
		return;
	eventfd_write(machine->closing, 1);
	pthread_join(machine->timers, NULL);
	machine->timers_started = false;
}
