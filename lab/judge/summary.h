/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The summary of a run as JSON, for programs.
 */
#ifndef LAB_JUDGE_SUMMARY_H
#define LAB_JUDGE_SUMMARY_H

#include <stdio.h>

#include "run.h"

/* Writes the summary. Returns 0, -ENOMEM, or -EIO. */
int summary_write(const struct run *run, FILE *out);

#endif
