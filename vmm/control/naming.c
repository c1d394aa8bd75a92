/* SPDX-License-Identifier: BSD-2-Clause */
/* Who has a machine's name: see the header. */
#include "control/naming.h"

#include "base/named_socket.h"
#include "control/folder.h"
#include "control/socket.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const char *naming_path(const struct naming *naming)
{
	return naming->succeeds ? naming->beside.sun_path : naming->name.sun_path;
}

static bool name_is_free(const struct sockaddr_un *name)
{
	return access(name->sun_path, F_OK) || named_socket_is_dead(name);
}

static int naming_listen(const struct naming *naming, const char *name, int *listener, struct error *error)
{
	int result;

	/* It may be between the end of its old process and its new one's claim: rare, so it is looked for first. */
	if (!naming->succeeds && !name_is_free(&naming->beside) && name_is_free(&naming->name))
		return error_set(error, EEXIST, "a machine named %s is being renewed", name);
	result = named_socket_listen(naming->succeeds ? &naming->beside : &naming->name, listener);
	if (!result)
		return 0;
	if (result == -EADDRINUSE)
		return error_set(error, EEXIST,
				 naming->succeeds ? "%s is being renewed already"
						  : "a machine named %s is already running",
				 name);
	return error_set(error, -result, "cannot open the control socket %s (%s)", naming_path(naming),
			 strerror(-result));
}

int naming_take(struct naming *naming, const char *name, bool succeeds, int *listener, struct error *error)
{
	int lock, result;

	*naming = (struct naming){ .succeeds = succeeds };
	*listener = -1;
	result = control_address(name, &naming->name, error);
	if (!result)
		result = control_address_beside(name, CONTROL_SUCCESSOR, &naming->beside, error);
	if (result)
		return result;
	lock = folder_open(control_folder(), error);
	if (lock < 0)
		return lock;
	result = naming_listen(naming, name, listener, error);
	close(lock);
	return result;
}

/* The folder is locked. */
static void name_claim(struct naming *naming)
{
	if (name_is_free(&naming->name))
		naming->succeeds = rename(naming->beside.sun_path, naming->name.sun_path) && errno != ENOENT;
	else
		naming->succeeds = !access(naming->beside.sun_path, F_OK);
}

void naming_claim(struct naming *naming)
{
	struct error ignored;
	int lock = naming->succeeds ? folder_lock(control_folder(), &ignored) : -1;

	if (lock < 0)
		return;
	name_claim(naming);
	close(lock);
}

void naming_give_up(struct naming *naming, bool moved)
{
	struct error ignored;
	int lock = folder_lock(control_folder(), &ignored);

	/* Without the lock, the socket is left for the next monitor that takes the name. */
	if (lock < 0)
		return;
	if (naming->succeeds || !moved || name_is_free(&naming->beside) ||
	    rename(naming->beside.sun_path, naming->name.sun_path))
		unlink(naming_path(naming));
	close(lock);
}

void naming_remove(const struct naming *naming)
{
	unlink(naming_path(naming));
}
