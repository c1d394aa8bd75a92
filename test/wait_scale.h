/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How long tests wait on a slow or busy machine. Only waiting scales, never what is judged.
 *
 * Policy: the scripts measure (mk/wait-scale.sh); a test that is run by hand waits as on a quiet machine.
 */
#ifndef TEST_WAIT_SCALE_H
#define TEST_WAIT_SCALE_H

#include <stdlib.h>

/* A limit in any unit, stretched by WAIT_SCALE, which is in percent and counts from 100 to 1000. */
static inline unsigned int wait_scaled(unsigned int limit)
{
	const char *text = getenv("WAIT_SCALE");
	long percent = text ? strtol(text, NULL, 10) : 100;

	if (percent < 100)
		percent = 100;
	else if (percent > 1000)
		percent = 1000;
	return limit * (unsigned int)percent / 100;
}

#endif
