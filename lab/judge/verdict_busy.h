/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Did two busy loops that share a vCPU get their processor time?
 */
#ifndef LAB_JUDGE_VERDICT_BUSY_H
#define LAB_JUDGE_VERDICT_BUSY_H

#include <stdbool.h>
#include <stdio.h>

#include "transcript.h"

/*
 * Prints "PASS ..." or "FAIL ..." per criterion of the busy loops in the last leg, which must be at least `seconds`
 * long. Returns whether all passed.
 */
bool verdict_of_busy(const struct transcript *transcript, int64_t seconds, FILE *out);

#endif
