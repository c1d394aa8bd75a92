/* SPDX-License-Identifier: BSD-2-Clause */
/* Waiting for descriptors: see the header. */
#include "base/events.h"

#include <errno.h>
#include <time.h>

#define REST_NS 10000000

int events_await(struct pollfd *items, nfds_t count, int limit_ms)
{
	const struct timespec rest = { .tv_nsec = REST_NS };
	int ready = poll(items, count, limit_ms);

	if (ready >= 0)
		return ready;
	if (errno != EINTR)
		nanosleep(&rest, NULL);
	for (nfds_t n = 0; n < count; n++)
		items[n].revents = 0;
	return 0;
}
