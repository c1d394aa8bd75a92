/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The summary of a run as JSON, for programs.
 */
#ifndef LAB_JUDGE_SUMMARY_H
#define LAB_JUDGE_SUMMARY_H

#include <jansson.h>
#include <stdio.h>

#include "run.h"

/* The object for one migration, which the caller releases; NULL: no memory. */
json_t *summary_of_migration(const struct migration *m);

/* Writes the summary. Returns 0, -ENOMEM, or -EIO. */
int summary_write(const struct run *run, FILE *out);

#endif
