/* SPDX-License-Identifier: BSD-2-Clause */
/* A disk that an operator has made larger: see the header. */
#include "control/growth.h"

#include "control/line.h"

#include <errno.h>
#include <string.h>

static void *growth_thread(void *argument)
{
	struct growth *growth = argument;
	struct machine_growth sizes;
	struct error error;
	int result = machine_grow(growth->query.machine, growth->disk, &sizes, &error);

	query_answer(&growth->query,
		     result ? control_error(&error)
			    : json_pack("{s:{s:I, s:I, s:I}}", "ok", "disk", (json_int_t)growth->disk, "bytes_before",
					(json_int_t)sizes.before, "bytes", (json_int_t)sizes.after));
	return NULL;
}

int growth_start(struct growth *growth, struct machine *machine, int client, uint32_t disk, struct error *error)
{
	int result;

	if (query_is_busy(&growth->query))
		return error_set(error, EBUSY, "the size of disk %u of %s is being asked for: try again later",
				 growth->disk, machine->config.name);
	growth->disk = disk;
	result = query_start(&growth->query, machine, client, THREAD_GROWTH, growth_thread, growth);
	return result ? error_set(error, result, "no thread for the size of a disk (%s)", strerror(result)) : 0;
}
