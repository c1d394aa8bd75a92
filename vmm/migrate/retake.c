/* SPDX-License-Identifier: BSD-2-Clause */
/* The source's disks after a failure: see the header. */
#include "migrate/retake.h"

#include "host/deadline.h"

#include <errno.h>
#include <poll.h>

#define RETRY_MS 20

void retake_disks(struct machine *machine, const struct handover_limits *limits)
{
	sc_ns_t end = deadline_after_ms(limits->disks_ms);
	struct error error;

	while (!machine_has_disks(machine) && deadline_left_ms(end)) {
		int result = machine_take_disks(machine, &error);

		if (result && result != -EBUSY && result != -ETIMEDOUT && result != -ENOMEM)
			return;
		if (result)
			poll(NULL, 0, RETRY_MS);
	}
}
