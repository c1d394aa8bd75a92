/* SPDX-License-Identifier: BSD-2-Clause */
/* The end of a machine, within a limit: see the header. */
#include "command/teardown.h"

#include "base/log.h"
#include "base/thread.h"

#include <poll.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define MS_PER_S 1000

static void *teardown_thread(void *context)
{
	const struct teardown *teardown = context;
	struct pollfd over = { .fd = teardown->over, .events = POLLIN };

	if (poll(&over, 1, teardown->limit_ms))
		return NULL;
	log_line("%s has ended, and its monitor has waited %d s for what was under way, such as requests to a disk or "
		 "output to a file whose server does not answer: it waits no longer",
		 teardown->name, teardown->limit_ms / MS_PER_S);
	log_close();
	console_restore(teardown->console);
	_exit(teardown->status);
}

void teardown_begin(struct teardown *teardown, const char *name, struct console *console, int status, int limit_ms)
{
	if (teardown->begun)
		return;
	*teardown = (struct teardown){
		.console = console,
		.status = status,
		.limit_ms = limit_ms,
		.over = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK),
	};
	snprintf(teardown->name, sizeof(teardown->name), "%s", name);
	if (teardown->over < 0)
		return;
	teardown->begun = !thread_start(&teardown->thread, THREAD_TEARDOWN, teardown_thread, teardown);
	if (!teardown->begun)
		close(teardown->over);
}

void teardown_end(struct teardown *teardown)
{
	if (!teardown->begun)
		return;
	eventfd_write(teardown->over, 1);
	pthread_join(teardown->thread, NULL);
	close(teardown->over);
	teardown->begun = false;
}
