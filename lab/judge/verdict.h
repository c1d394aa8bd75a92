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

#endif
