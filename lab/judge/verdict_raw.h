/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Does CLOCK_MONOTONIC_RAW go with reference time?
 */
#ifndef LAB_JUDGE_VERDICT_RAW_H
#define LAB_JUDGE_VERDICT_RAW_H

#include <stdbool.h>
#include <stdio.h>

#include "transcript.h"

/*
 * Prints "PASS ..." or "FAIL ..." for the legs from number `from` on: within a leg the clock leaves reference time by
 * no more than a reading can tell. Returns whether it passed.
 */
bool verdict_of_raw(const struct transcript *transcript, size_t from, FILE *out);

#endif
