/* SPDX-License-Identifier: BSD-2-Clause */
/* Limits of waits: see the header. */
#include "deadline.h"

#include "host/host.h"

#define NS_PER_MS 1000000u

sc_ns_t deadline_after_ms(int ms)
{
	return sc_ns(host_monotonic().v + (uint64_t)ms * NS_PER_MS);
}

int deadline_left_ms(sc_ns_t deadline)
{
	sc_ns_t now = host_monotonic();

	return now.v < deadline.v ? (int)((deadline.v - now.v + NS_PER_MS - 1) / NS_PER_MS) : 0;
}
