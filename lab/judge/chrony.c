// SPDX-License-Identifier: BSD-2-Clause
/*
 * Reads the log. Policy: a step is counted whoever wanted it, chronyd itself or its user.
 */
#include "chrony.h"

#include <string.h>

#define STEPPED "System clock was stepped by"

int64_t chrony_steps(const char *log)
{
	int64_t steps = 0;

	while ((log = strstr(log, STEPPED))) {
		steps++;
		log += sizeof(STEPPED) - 1;
	}
	return steps;
}
