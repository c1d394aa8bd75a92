/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What became of the guests of several kernels: their verdicts, and one file of JSON, an array of {"kernel": TEXT,
 * "page_size": BYTES, "level": TEXT, "migrations": [...]}, each migration as cooperative_summary.h has it.
 */
#ifndef LAB_JUDGE_KERNELS_SUMMARY_H
#define LAB_JUDGE_KERNELS_SUMMARY_H

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

#include "run.h"

/*
 * Prints "PASS ..." or "FAIL ..." per criterion of a judged run, whose manifest names its kernel: each migration was of
 * that kernel's level; at level cooperative, all that cooperative_verdict() asks; else what verdict_of_run() asks.
 */
bool kernels_verdict(const struct run *run, FILE *out);

/* Adds the run to the array. False: no memory. */
bool kernels_add(json_t *array, const struct run *run);

#endif
