/* SPDX-License-Identifier: BSD-2-Clause */
/* The end of a machine, within a limit: see the header. */
#include "command/parting.h"

#include "base/log.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define MS_PER_S 1000

static void *parting_thread(void *context)
{
	const struct parting *parting = context;
	struct pollfd over = { .fd = parting->over, .events = POLLIN };

	if (poll(&over, 1, parting->limit_ms))
		return NULL;
	log_line(
		"%s has ended, and its monitor has waited %d s for what was under way, such as requests to a disk that "
		"does not answer: it waits no longer",
		parting->name, parting->limit_ms / MS_PER_S);
	log_close();
	console_restore(parting->console);
	_exit(parting->status);
}

void parting_begin(struct parting *parting, const char *name, struct console *console, int status, int limit_ms)
{
	if (parting->begun)
		return;
	*parting = (struct parting){
		.name = name,
		.console = console,
		.status = status,
		.limit_ms = limit_ms,
		.over = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK),
	};
	if (parting->over < 0)
		return;
	parting->begun = !pthread_create(&parting->thread, NULL, parting_thread, parting);
	if (!parting->begun)
		close(parting->over);
}

void parting_end(struct parting *parting)
{
	if (!parting->begun)
		return;
	eventfd_write(parting->over, 1);
	pthread_join(parting->thread, NULL);
	close(parting->over);
	parting->begun = false;
}
