/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The few statistics the judge needs.
 */
#ifndef LAB_JUDGE_STATISTICS_H
#define LAB_JUDGE_STATISTICS_H

#include <stddef.h>
#include <stdint.h>

/* The median of `count` values, which it sorts; the lower one of the two in the middle. 0 for none. */
int64_t statistics_median(int64_t *values, size_t count);

/* The slope of y over x by least squares; 0 if there are fewer than two different x. */
double statistics_slope(const int64_t *x, const int64_t *y, size_t count);

#endif
