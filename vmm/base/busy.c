/* SPDX-License-Identifier: BSD-2-Clause */
/* Calls that KVM refuses for a moment: see the header. */
#include "base/busy.h"

#include <errno.h>
#include <time.h>

/* Twice as long each time: 20 us to 5 ms, a second in all. */
#define PAUSE_MIN_NS 20000
#define PAUSE_MAX_NS 5000000
#define TRIES_MAX 200

int busy_retry(busy_fn attempt, void *context)
{
	struct timespec pause = { .tv_nsec = PAUSE_MIN_NS };
	int result = attempt(context);

	for (int tries = 1; result == -EBUSY && tries < TRIES_MAX; tries++) {
		nanosleep(&pause, NULL);
		result = attempt(context);
		if (pause.tv_nsec * 2 <= PAUSE_MAX_NS)
			pause.tv_nsec *= 2;
	}
	return result;
}
