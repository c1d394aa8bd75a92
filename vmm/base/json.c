/* SPDX-License-Identifier: BSD-2-Clause */
/* JSON that is read whole: see the header. */
#include "base/json.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

static pthread_once_t once = PTHREAD_ONCE_INIT;
static _Thread_local bool ran_short;

static void *json_allocate(size_t size)
{
	void *place = malloc(size);

	ran_short |= !place;
	return place;
}

static void json_take_over(void)
{
	json_set_alloc_funcs(json_allocate, free);
}

void json_watch(void)
{
	pthread_once(&once, json_take_over);
	ran_short = false;
}

bool json_is_whole(void)
{
	return !ran_short;
}

int json_read(const char *text, size_t size, size_t flags, json_t **value, json_error_t *fault)
{
	json_watch();
	*value = json_loadb(text, size, flags, fault);
	if (json_is_whole())
		return *value ? 0 : -EINVAL;
	json_decref(*value);
	*value = NULL;
	return -ENOMEM;
}

int json_parse(const char *text, size_t size, const char *what, json_t **value, struct error *error)
{
	json_error_t fault;
	int result = json_read(text, size, JSON_REJECT_DUPLICATES, value, &fault);

	if (result == -ENOMEM)
		return error_set(error, ENOMEM, "no memory for %s of %zu bytes", what, size);
	if (result)
		return error_set(error, EINVAL, "it is not JSON in line %d, column %d: %s", fault.line, fault.column,
				 fault.text);
	return 0;
}
