/* SPDX-License-Identifier: BSD-2-Clause */
/* A disk that an operator has made larger: see the header. */
#include "control/growth.h"

#include "base/thread.h"
#include "control/line.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

static void *growth_thread(void *argument)
{
	struct growth *growth = argument;
	struct machine_growth sizes;
	struct error error;
	int result = machine_grow(growth->machine, growth->disk, &sizes, &error);

	/* First: whoever has the answer may ask for the next one. */
	__atomic_store_n(&growth->over, true, __ATOMIC_RELEASE);
	if (result)
		control_write_line(growth->client, control_error(&error));
	else
		control_write_line(growth->client,
				   json_pack("{s:{s:I, s:I, s:I}}", "ok", "disk", (json_int_t)growth->disk,
					     "bytes_before", (json_int_t)sizes.before, "bytes",
					     (json_int_t)sizes.after));
	close(growth->client);
	return NULL;
}

int growth_start(struct growth *growth, struct machine *machine, int client, uint32_t disk, struct error *error)
{
	int result;

	if (growth->started && !__atomic_load_n(&growth->over, __ATOMIC_ACQUIRE))
		return error_set(error, EBUSY, "the size of disk %u of %s is being asked for: try again later",
				 growth->disk, machine->config.name);
	growth_join(growth);
	*growth = (struct growth){ .machine = machine, .client = client, .disk = disk };
	result = thread_start(&growth->thread, THREAD_GROWTH, growth_thread, growth);
	growth->started = !result;
	return result ? error_set(error, result, "no thread for the size of a disk (%s)", strerror(result)) : 0;
}

void growth_join(struct growth *growth)
{
	if (growth->started)
		pthread_join(growth->thread, NULL);
	growth->started = false;
}
