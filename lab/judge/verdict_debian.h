/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Judges what a Debian was for those who use it: reached over the network, its clock kept by chronyd, its file system
 * whole.
 *
 * Policy: what was not watched fails.
 */
#ifndef LAB_JUDGE_VERDICT_DEBIAN_H
#define LAB_JUDGE_VERDICT_DEBIAN_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "run.h"

struct debian {
	int64_t late_ns;   /* the longest time without an answer to a ping, less the downtime of that migration */
	int64_t unsync_ns; /* the longest time in which the kernel's clock was not synchronised; INT64_MAX: not watched
			    */
};

struct debian debian_judge(const struct run *run);

/* Prints "PASS ..." or "FAIL ..." per criterion, and returns whether all passed. */
bool verdict_of_debian(const struct run *run, FILE *out);

#endif
