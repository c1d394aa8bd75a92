/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is shown of the offset estimates of many migrations: for programs, for gnuplot, for people.
 */
#ifndef LAB_JUDGE_OFFSET_SUMMARY_H
#define LAB_JUDGE_OFFSET_SUMMARY_H

#include <stdio.h>

#include "offset.h"

/* Writes {"migrations": [...]}, as in summary.h and with "load". Returns 0, -ENOMEM, or -EIO. */
int offset_write_json(const struct offset_set *set, FILE *out);

/* One line per migration: number, load (0 idle, 1 memory), step, its uncertainty, bound, half the round trip; all us.
 */
void offset_write_data(const struct offset_set *set, FILE *out);

/* A table of the distribution: least, median and most of each quantity in each half. */
void offset_write_table(const struct offset_set *set, FILE *out);

#endif
