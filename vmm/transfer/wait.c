/* SPDX-License-Identifier: BSD-2-Clause */
/* Waits that serve others meanwhile: see the header. */
#include "transfer/wait.h"

#include "host/deadline.h"

#include <errno.h>
#include <poll.h>
#include <string.h>

/* One poll for items[0] and what is watched: 0, with *count as poll() gave it, or what something watched wants. */
static int watches_poll(const struct wait_watch *watch, unsigned int watches, struct pollfd *items, int timeout_ms,
			int *count, struct error *error)
{
	int result = 0;

	for (unsigned int n = 0; n < watches; n++)
		items[1 + n] = (struct pollfd){ .fd = watch[n].fd, .events = POLLIN };
	*count = poll(items, 1 + watches, timeout_ms);
	if (*count < 0)
		return errno == EINTR ? 0 : error_set(error, errno, "cannot wait (%s)", strerror(errno));
	for (unsigned int n = 0; !result && n < watches; n++)
		if (items[1 + n].revents)
			result = watch[n].fn(watch[n].context, error);
	return result;
}

int wait_look(const struct wait_watch *watch, unsigned int watches, struct error *error)
{
	struct pollfd items[1 + WAIT_WATCHES] = { { .fd = -1 } };
	int count;

	return watches_poll(watch, watches, items, 0, &count, error);
}

int wait_ready(int fd, short events, sc_ns_t deadline, const struct wait_watch *watch, unsigned int watches,
	       bool *ready, struct error *error)
{
	struct pollfd items[1 + WAIT_WATCHES];
	int result = 0, count = 1, left_ms;

	*ready = false;
	while (!result && !*ready && count && (left_ms = deadline_left_ms(deadline))) {
		items[0] = (struct pollfd){ .fd = fd, .events = events };
		result = watches_poll(watch, watches, items, left_ms, &count, error);
		*ready = !result && count > 0 && items[0].revents;
	}
	return result;
}
