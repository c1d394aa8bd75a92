/* SPDX-License-Identifier: BSD-2-Clause */
/* A request whose answer takes a while: see the header. */
#include "control/query.h"

#include "control/line.h"

#include <unistd.h>

bool query_is_busy(struct query *query)
{
	if (query->started && !__atomic_load_n(&query->over, __ATOMIC_ACQUIRE))
		return true;
	query_join(query);
	return false;
}

int query_start(struct query *query, struct machine *machine, int client, enum thread_kind kind,
		void *(*run)(void *argument), void *argument)
{
	int result;

	*query = (struct query){ .machine = machine, .client = client };
	result = thread_start(&query->thread, kind, run, argument);
	query->started = !result;
	return result;
}

void query_answer(struct query *query, json_t *line)
{
	/* First: whoever has the answer may ask for the next one. */
	__atomic_store_n(&query->over, true, __ATOMIC_RELEASE);
	control_write_line(query->client, line);
	close(query->client);
}

void query_join(struct query *query)
{
	if (query->started)
		pthread_join(query->thread, NULL);
	query->started = false;
}
