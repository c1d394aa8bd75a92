/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The migrations of several cases in one file of JSON: {"migrations": [...]}, each as in summary.h with what the kernel
 * made of it.
 *
 * Policy: cases are tried one by one, so the file is added to; a case that is tried again replaces what it had said.
 */
#ifndef LAB_JUDGE_COOPERATIVE_SUMMARY_H
#define LAB_JUDGE_COOPERATIVE_SUMMARY_H

#include <jansson.h>
#include <stdio.h>

#include "run.h"

/* The migrations of a judged run, in an array that the caller releases; NULL: no memory. */
json_t *cooperative_migrations(const struct run *run);

/*
 * Adds the migrations of a judged run to the summary `old`, which may be NULL or of any form; it stays the caller's.
 * Returns the new summary, which the caller releases; NULL: no memory.
 */
json_t *cooperative_summary(const json_t *old, const struct run *run);

#endif
