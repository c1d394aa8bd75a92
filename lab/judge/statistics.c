// SPDX-License-Identifier: BSD-2-Clause
/*
 * Median, straight line, rate. Policy: differences are taken as integers first, since times in ns exceed a double's 53
 * bits.
 */
#include "statistics.h"

#include <math.h>
#include <stdlib.h>

static int compare(const void *left, const void *right)
{
	int64_t a = *(const int64_t *)left, b = *(const int64_t *)right;

	return (a > b) - (a < b);
}

int64_t statistics_median(int64_t *values, size_t count)
{
	if (count == 0)
		return 0;
	qsort(values, count, sizeof(*values), compare);
	return values[(count - 1) / 2];
}

static double mean_from(const int64_t *values, size_t count)
{
	double sum = 0;

	for (size_t i = 0; i < count; i++)
		sum += (double)(values[i] - values[0]);
	return sum / (double)count;
}

double statistics_slope(const int64_t *x, const int64_t *y, size_t count)
{
	double xx = 0, xy = 0;

	if (count < 2)
		return 0;
	double mean_x = mean_from(x, count), mean_y = mean_from(y, count);

	for (size_t i = 0; i < count; i++) {
		double dx = (double)(x[i] - x[0]) - mean_x, dy = (double)(y[i] - y[0]) - mean_y;

		xx += dx * dx;
		xy += dx * dy;
	}
	return xx > 0 ? xy / xx : 0;
}

/* Two stamps that are far enough apart narrow the range of the rate. */
static void range_narrow(double *low, double *high, const struct statistics_stamp *a, const struct statistics_stamp *b)
{
	double dx = (double)(b->x - a->x), dy = (double)(b->y - a->y);
	double spread = ((double)a->width + (double)b->width) / 2;

	if (dx <= spread)
		return;
	*low = fmax(*low, dy / (dx + spread));
	*high = fmin(*high, dy / (dx - spread));
}

struct statistics_rate statistics_rate(const struct statistics_stamp *stamps, size_t count)
{
	double low = 0, high = INFINITY;

	for (size_t i = 0; i < count; i++)
		for (size_t k = i + 1; k < count; k++)
			range_narrow(&low, &high, &stamps[i], &stamps[k]);
	if (low > high || isinf(high))
		return (struct statistics_rate){ .rate = 0 };
	return (struct statistics_rate){ .rate = (low + high) / 2, .uncertainty = (high - low) / 2 };
}
