/* SPDX-License-Identifier: BSD-2-Clause */
/* Whether a guest may go to another rate: see the header. */
#include "migrate/rate.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

/* A rate in MHz with as many decimals as it has, up to Hz. */
static const char *rate_text(uint32_t hz, char text[32])
{
	int length = snprintf(text, 32, "%" PRIu32 ".%06" PRIu32, hz / 1000000, hz % 1000000);

	while (text[length - 1] == '0')
		text[--length] = '\0';
	if (text[length - 1] == '.')
		text[--length] = '\0';
	return text;
}

int rate_check(const char *name, enum sc_level level, uint32_t from_hz, uint32_t to_hz, struct error *error)
{
	uint64_t percent = (uint64_t)to_hz * 100 / from_hz;
	char from[32], to[32];

	if (from_hz == to_hz || level >= SC_LEVEL_REFERENCE)
		return 0;
	return error_set(
		error, EPERM,
		"%s is not on the reference clock: this host's counter ticks at %s MHz, the other's at %s MHz, so its "
		"clock would run at %" PRIu64 ".%02" PRIu64
		" times its rate; load the seaclock module in the guest and leave the choice of the clocksource to it, "
		"or move it all the same with --force",
		name, rate_text(from_hz, from), rate_text(to_hz, to), percent / 100, percent % 100);
}
