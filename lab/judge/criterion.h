/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The line that says whether one criterion holds.
 */
#ifndef LAB_JUDGE_CRITERION_H
#define LAB_JUDGE_CRITERION_H

#include <stdbool.h>
#include <stdio.h>

/* Prints one line, "PASS " or "FAIL " and the text, and returns `passed`. */
bool criterion_print(FILE *out, bool passed, const char *format, ...) __attribute__((nonnull, format(printf, 3, 4)));

#endif
