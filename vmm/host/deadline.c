/* SPDX-License-Identifier: BSD-2-Clause */
/* Limits of waits: see the header. */
#include "host/deadline.h"

#include "host/host.h"

#include <limits.h>

#define NS_PER_MS 1000000u

sc_ns_t deadline_after_ms(int ms)
{
	return sc_ns(host_monotonic().v + (uint64_t)ms * NS_PER_MS);
}

int deadline_left_ms(sc_ns_t deadline)
{
	sc_ns_t now = host_monotonic();
	uint64_t left_ms = now.v < deadline.v ? (deadline.v - now.v - 1) / NS_PER_MS + 1 : 0;

	return left_ms < INT_MAX ? (int)left_ms : INT_MAX;
}

sc_ns_t deadline_share(sc_ns_t deadline, uint32_t parts)
{
	sc_ns_t now = host_monotonic();

	return sc_ns(now.v < deadline.v ? now.v + (deadline.v - now.v) / parts : deadline.v);
}
