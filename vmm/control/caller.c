/* SPDX-License-Identifier: BSD-2-Clause */
/* Who is at the other end of a control connection: see the header. */
#include "control/caller.h"

#include "base/log.h"

#include <sys/socket.h>
#include <unistd.h>

/* Nobody, if the kernel does not say. */
static struct ucred caller_get(int client)
{
	struct ucred caller = { .pid = 0, .uid = (uid_t)-1, .gid = (gid_t)-1 };
	socklen_t size = sizeof(caller);

	getsockopt(client, SOL_SOCKET, SO_PEERCRED, &caller, &size);
	return caller;
}

bool caller_may(int client)
{
	struct ucred caller = caller_get(client);

	if (!caller.uid || caller.uid == geteuid())
		return true;
	log_line("user %u has been refused at the control socket (process %d)", caller.uid, caller.pid);
	return false;
}

void caller_log(int client, const char *order)
{
	struct ucred caller = caller_get(client);

	log_line("%s: ordered by user %u (process %d)", order, caller.uid, caller.pid);
}
