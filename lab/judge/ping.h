/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a pinger (lab/pinger/) saw of a guest during a migration, from another host.
 */
#ifndef LAB_JUDGE_PING_H
#define LAB_JUDGE_PING_H

#include <stdint.h>

struct ping {
	int64_t sent, answered;
	int64_t doubled; /* answers beyond the first to one request */
	int64_t gap_ns;	 /* the longest time without an answer */
};

/* Takes the last line of a pinger's output, ended by '\0'. Returns 0, or -EINVAL if it has none that is possible. */
int ping_parse(struct ping *ping, const char *text);

#endif
