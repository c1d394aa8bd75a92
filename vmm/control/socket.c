/* SPDX-License-Identifier: BSD-2-Clause */
/* Where a control socket is: see the header. */
#include "control/socket.h"

#include "base/name.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

#define FOLDER_DEFAULT "/run/seaclock"
/* As system/seaclock@.service has it. */
#define UNITS_FOLDER "/run/seaclock-units"

/* NULL if there is none. */
static const char *folder_named(void)
{
	const char *folder = getenv("SEACLOCK_DIR");

	return folder && *folder ? folder : NULL;
}

const char *control_folder(void)
{
	const char *folder = folder_named();

	return folder ? folder : FOLDER_DEFAULT;
}

const char *control_units(void)
{
	return folder_named() ? NULL : UNITS_FOLDER;
}

int control_address(const char *name, struct sockaddr_un *address, struct error *error)
{
	return control_address_beside(name, CONTROL_SOCKET, address, error);
}

int control_address_beside(const char *name, const char *end, struct sockaddr_un *address, struct error *error)
{
	int length;

	if (!name_is_valid(name))
		return error_set(
			error, EINVAL,
			"`%s` cannot be a machine's name: use letters, digits, `-`, `_` and `.`, at most %d of them",
			name, NAME_SIZE - 1);
	*address = (struct sockaddr_un){ .sun_family = AF_UNIX };
	length = snprintf(address->sun_path, sizeof(address->sun_path), "%s/%s%s", control_folder(), name, end);
	if (length >= (int)sizeof(address->sun_path))
		return error_set(error, ENAMETOOLONG, "the control folder %s has too long a path for a socket",
				 control_folder());
	return 0;
}

bool control_unit_address(const char *name, struct sockaddr_un *address)
{
	int length;

	if (!control_units())
		return false;
	*address = (struct sockaddr_un){ .sun_family = AF_UNIX };
	length = snprintf(address->sun_path, sizeof(address->sun_path), "%s/%s/%s" CONTROL_SOCKET, control_units(),
			  name, name);
	return length < (int)sizeof(address->sun_path);
}
