/* SPDX-License-Identifier: BSD-2-Clause */
/* What reaches the disks' media while the guest runs: see the header. */
#include "migrate/ahead.h"

#include "host/deadline.h"

#define LOOK_MS 2
#define NS_PER_MS 1000000u

/* Looks again and again, for the disks tell nobody. */
static int ahead_wait(struct devices *devices, const struct hold_wait *wait, struct error *error)
{
	sc_ns_t deadline = deadline_after_ms(wait->limit_ms);
	bool ignored;
	int result = 0;

	while (!result && !devices_have_flushed_ahead(devices) && deadline_left_ms(deadline))
		result = wait_ready(-1, 0, deadline_after_ms(LOOK_MS), wait->watch, wait->watches, &ignored, error);
	return result;
}

int ahead_flush(struct devices *devices, const struct hold_wait *wait, uint32_t *tries, bool *enough,
		struct error *error)
{
	uint64_t began = host_monotonic().v;
	int result;

	if (*tries == AHEAD_TRIES)
		return 0;
	++*tries;
	devices_flush_ahead(devices);
	result = ahead_wait(devices, wait, error);
	*enough = host_monotonic().v - began < AHEAD_SHORT_MS * (uint64_t)NS_PER_MS;
	return result;
}
