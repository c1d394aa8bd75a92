/* SPDX-License-Identifier: BSD-2-Clause */
/* The threads of a monitor, by kind: see the header. */
#include "base/thread.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

/* With its end, as the kernel keeps it. */
#define NAME_MAX_SIZE 16

static const char *const names[THREAD_KINDS] = {
	[THREAD_MAIN] = "main",
	[THREAD_WRITER] = "writer",
	[THREAD_VCPU] = "vcpu",
	[THREAD_TIMERS] = "timers",
	[THREAD_DISK] = "disk",
	[THREAD_NBD] = "nbd",
	[THREAD_NET] = "net",
	[THREAD_CLAIM] = "claim",
	[THREAD_VARIABLES] = "variables",
	[THREAD_MIGRATION] = "migration",
	[THREAD_SAVE] = "save",
	[THREAD_GROWTH] = "growth",
	[THREAD_LOOKUP] = "lookup",
	[THREAD_TEARDOWN] = "teardown",
};

static _Thread_local enum thread_kind own;

/* What a new thread is to do; it frees this. */
struct thread_task {
	enum thread_kind kind;
	void *(*run)(void *);
	void *context;
};

const char *thread_kind_name(enum thread_kind kind)
{
	return names[kind];
}

enum thread_kind thread_kind(void)
{
	return own;
}

static void *thread_run(void *argument)
{
	struct thread_task task = *(struct thread_task *)argument;

	free(argument);
	own = task.kind;
	pthread_setname_np(pthread_self(), names[task.kind]);
	return task.run(task.context);
}

void thread_number(uint32_t n)
{
	char name[NAME_MAX_SIZE];

	snprintf(name, sizeof(name), "%.10s%" PRIu32, names[own], n % 10000);
	pthread_setname_np(pthread_self(), name);
}

int thread_start(pthread_t *thread, enum thread_kind kind, void *(*run)(void *), void *context)
{
	struct thread_task *task = malloc(sizeof(*task));
	int result;

	if (!task)
		return ENOMEM;
	*task = (struct thread_task){ kind, run, context };
	result = pthread_create(thread, NULL, thread_run, task);
	if (result)
		free(task);
	return result;
}
