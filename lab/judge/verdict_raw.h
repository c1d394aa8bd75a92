/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Does CLOCK_MONOTONIC_RAW keep pace with reference time?
 */
#ifndef LAB_JUDGE_VERDICT_RAW_H
#define LAB_JUDGE_VERDICT_RAW_H

#include <stdbool.h>
#include <stdio.h>

#include "transcript.h"

/*
 * Prints "PASS ..." or "FAIL ..." for the legs from number `from` on: within a leg the clock drifts from reference time
 * by no more than a reading can resolve. Returns whether it passed.
 */
bool verdict_of_raw(const struct transcript *transcript, size_t from, FILE *out);

#endif
