// SPDX-License-Identifier: BSD-2-Clause
/*
 * How late short sleeps end in a Linux guest. Prints "@sleepcost late_ns=N cpu_ns=N": the median of how much longer
 * than a millisecond a sleep of a millisecond takes, and the processor time that its thread takes for one.
 *
 *     sleepcost COUNT
 *
 * Policy: by the clock of the kernel under test; what is compared are two such runs on one host.
 */
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define NS_PER_S 1000000000ll
#define SLEEP_NS 1000000ll
#define COUNT_MAX 100000l

static int64_t clock_ns(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return now.tv_sec * NS_PER_S + now.tv_nsec;
}

/* How late it ended. */
static int64_t sleep_once(void)
{
	const struct timespec time = { .tv_nsec = SLEEP_NS };
	int64_t began = clock_ns(CLOCK_MONOTONIC);

	nanosleep(&time, NULL);
	return clock_ns(CLOCK_MONOTONIC) - began - SLEEP_NS;
}

static int compare(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

static void measure(long count, int64_t *late)
{
	int64_t cpu = clock_ns(CLOCK_THREAD_CPUTIME_ID);

	for (long n = 0; n < count; n++)
		late[n] = sleep_once();
	cpu = clock_ns(CLOCK_THREAD_CPUTIME_ID) - cpu;
	qsort(late, (size_t)count, sizeof(*late), compare);
	printf("@sleepcost late_ns=%" PRId64 " cpu_ns=%" PRId64 "\n", late[count / 2], cpu / count);
}

int main(int argc, char **argv)
{
	long count = argc == 2 ? strtol(argv[1], NULL, 10) : 0;
	int64_t *late = count > 0 && count <= COUNT_MAX ? calloc((size_t)count, sizeof(*late)) : NULL;

	if (!late) {
		fprintf(stderr, "usage: sleepcost COUNT\n");
		return 2;
	}
	measure(count, late);
	free(late);
	return 0;
}
