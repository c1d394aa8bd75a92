// SPDX-License-Identifier: BSD-2-Clause
/*
 * Reads the line. Policy: a pinger that saw no answer has no such line, so one without answers is damaged.
 */
#include "ping.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

int ping_parse(struct ping *ping, const char *text)
{
	const char *line = strstr(text, "sent=");
	int taken = 0;

	if (!line || sscanf(line, "sent=%" SCNd64 " answered=%" SCNd64 " doubled=%" SCNd64 " gap_ns=%" SCNd64 "%n",
			    &ping->sent, &ping->answered, &ping->doubled, &ping->gap_ns, &taken) != 4)
		return -EINVAL;
	return ping->sent > 0 && ping->answered > 0 && ping->doubled >= 0 && ping->gap_ns > 0 && line[taken] == '\n'
		       ? 0
		       : -EINVAL;
}
