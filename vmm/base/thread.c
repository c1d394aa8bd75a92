/* SPDX-License-Identifier: BSD-2-Clause */
/* The threads of a monitor, by kind: see the header. */
#include "base/thread.h"

#include "base/lock.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* With its end, as the kernel keeps it. */
#define NAME_MAX_SIZE 16

static const char *const names[THREAD_KINDS] = {
	[THREAD_MAIN] = "main",
	[THREAD_MAKER] = "maker",
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
	[THREAD_KERNEL] = "kernel",
	[THREAD_LOOKUP] = "lookup",
	[THREAD_TEARDOWN] = "teardown",
};

static _Thread_local enum thread_kind own;
static void (*guard)(enum thread_kind kind);

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

/* ---- In a new thread ---- */

static void thread_begin(enum thread_kind kind)
{
	own = kind;
	pthread_setname_np(pthread_self(), names[kind]);
	if (guard)
		guard(kind);
}

static void *thread_run(void *argument)
{
	struct thread_task task = *(struct thread_task *)argument;

	free(argument);
	thread_begin(task.kind);
	return task.run(task.context);
}

void thread_number(uint32_t n)
{
	char name[NAME_MAX_SIZE];

	snprintf(name, sizeof(name), "%.10s%" PRIu32, names[own], n % 10000);
	pthread_setname_np(pthread_self(), name);
}

/* ---- The maker ---- */

/* What somebody waits for. */
struct thread_order {
	pthread_t *thread;
	struct thread_task *task;
	sigset_t mask;
	int result;
	bool done;
};

static struct lock lock = LOCK_INITIALIZER(LOCK_THREADS);
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static struct thread_order *order; /* the one that is next; NULL: none */
static bool maker_is_there;

/* A positive errno. */
static int task_start(pthread_t *thread, const sigset_t *mask, struct thread_task *task)
{
	pthread_attr_t attributes;
	int result = pthread_attr_init(&attributes);

	if (result)
		return result;
	result = mask ? pthread_attr_setsigmask_np(&attributes, mask) : 0;
	if (!result)
		result = pthread_create(thread, &attributes, thread_run, task);
	pthread_attr_destroy(&attributes);
	return result;
}

static void *maker_run(void *context)
{
	(void)context;
	lock_take(&lock);
	for (;;) {
		while (!order)
			lock_wait(&lock, &changed);
		order->result = task_start(order->thread, &order->mask, order->task);
		order->done = true;
		order = NULL;
		pthread_cond_broadcast(&changed);
	}
	return NULL;
}

/* Whoever calls this may hold any lock: the maker takes none but this one. */
static int order_make(pthread_t *thread, struct thread_task *task)
{
	struct thread_order mine = { .thread = thread, .task = task };

	pthread_sigmask(SIG_SETMASK, NULL, &mine.mask);
	lock_take(&lock);
	while (order)
		lock_wait(&lock, &changed);
	order = &mine;
	pthread_cond_broadcast(&changed);
	while (!mine.done)
		lock_wait(&lock, &changed);
	lock_drop(&lock);
	return mine.result;
}

int threads_open(void (*by)(enum thread_kind kind), struct error *error)
{
	sigset_t all, before;
	pthread_t maker;
	int result;

	guard = by;
	/* Signals are for others. */
	sigfillset(&all);
	sigdelset(&all, SIGSYS);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	result = thread_start(&maker, THREAD_MAKER, maker_run, NULL);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (result)
		return error_set(error, result, "no thread that makes threads (%s)", strerror(result));
	pthread_detach(maker);
	__atomic_store_n(&maker_is_there, true, __ATOMIC_RELEASE);
	return 0;
}

int thread_start(pthread_t *thread, enum thread_kind kind, void *(*run)(void *), void *context)
{
	struct thread_task *task = malloc(sizeof(*task));
	int result;

	if (!task)
		return ENOMEM;
	*task = (struct thread_task){ kind, run, context };
	if (__atomic_load_n(&maker_is_there, __ATOMIC_ACQUIRE))
		result = order_make(thread, task);
	else
		result = task_start(thread, NULL, task);
	if (result)
		free(task);
	return result;
}
