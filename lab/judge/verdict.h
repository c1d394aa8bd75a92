/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Does a run keep what Seaclock promises? One line per criterion, with its numbers.
 */
#ifndef LAB_JUDGE_VERDICT_H
#define LAB_JUDGE_VERDICT_H

#include <stdbool.h>
#include <stdio.h>

#include "run.h"

/* Prints "PASS ..." or "FAIL ..." per criterion of a run with migrations. Returns whether all passed. */
bool verdict_of_run(const struct run *run, FILE *out);

/* The part of that which is the guest's: clocks, sleeps, steps. */
bool verdict_of_clock(const struct run *run, FILE *out);
/* The same for the busy loops in the last stay, which must be at least `seconds` long. */
bool verdict_of_busy(const struct transcript *transcript, int64_t seconds, FILE *out);

/* The same for a guest with a load on its memory: it was written in every stay, and never wrong. */
bool verdict_of_memory(const struct transcript *transcript, FILE *out);

/*
 * The same for CLOCK_MONOTONIC_RAW, in the stays from number `from` on: within a stay it leaves reference time by no
 * more than a reading can tell.
 */
bool verdict_of_raw(const struct transcript *transcript, size_t from, FILE *out);

#endif
