/* SPDX-License-Identifier: BSD-2-Clause */
/* Names of machines: see the header. */
#include "base/name.h"

#include <ctype.h>
#include <string.h>

bool name_is_valid(const char *name)
{
	size_t length = strlen(name);

	if (!length || length >= NAME_SIZE || !isalnum((unsigned char)name[0]))
		return false;
	for (size_t n = 0; n < length; n++)
		if (!isalnum((unsigned char)name[n]) && !strchr("-_.", name[n]))
			return false;
	return true;
}
