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

/* A value that was read at some moment within `width` around x. */
struct statistics_stamp {
	int64_t x, width, y;
};

/* How fast y goes against x: the true rate lies within `uncertainty` of `rate`. */
struct statistics_rate {
	double rate, uncertainty;
};

/* The bound that all pairs of stamps set together; rate 0 if none sets one, or some contradict each other. */
struct statistics_rate statistics_rate(const struct statistics_stamp *stamps, size_t count);

#endif
