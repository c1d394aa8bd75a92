/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is shown of many handoffs: for programs, for gnuplot, for people.
 */
#ifndef LAB_JUDGE_HANDOFF_SUMMARY_H
#define LAB_JUDGE_HANDOFF_SUMMARY_H

#include <stdio.h>

#include "handoff.h"

/* Writes {"migrations": [...]}, as in summary.h and with "load". Returns 0, -ENOMEM, or -EIO. */
int handoff_write_json(const struct handoff_set *set, FILE *out);

/* One line per handoff: number, load (0 idle, 1 memory), step, its uncertainty, bound, half the round trip; all us. */
void handoff_write_data(const struct handoff_set *set, FILE *out);

/* A table of the distribution: least, median and most of each quantity in each half. */
void handoff_write_table(const struct handoff_set *set, FILE *out);

#endif
