/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Does CLOCK_MONOTONIC_RAW keep pace with reference time?
 */
#ifndef LAB_JUDGE_VERDICT_RAW_H
#define LAB_JUDGE_VERDICT_RAW_H

#include <stdbool.h>
#include <stdio.h>

#include "transcript.h"

/* How uncertain a reading of reference time may be: by the page, and by two calls of a guest that has none. */
#define RAW_WIDTH_PAGE_NS 20000
#define RAW_WIDTH_CALL_NS 1000000

/*
 * Prints "PASS ..." or "FAIL ..." for the legs from number `from` on: within a leg the clock drifts from reference time
 * by no more than a reading can resolve; readings that are less certain than the limit do not count. Returns whether it
 * passed.
 */
bool verdict_of_raw(const struct transcript *transcript, size_t from, int64_t width_limit_ns, FILE *out);

#endif
