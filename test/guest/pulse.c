// SPDX-License-Identifier: BSD-2-Clause
/*
 * A sign of life: a line "@N" every PERIOD_MS, from which an observer outside sees for how long the guest stood still.
 * On request it writes to memory meanwhile, so that pre-copy has something to send.
 *
 *     pulse PERIOD_MS [KIB_PER_S]
 *
 * Policy: a period that was missed is not made up for, since an observer takes the longest time without a line.
 */
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>

#define PAGE_SIZE 4096u
/* What it writes to, in turn: 64 MiB. */
#define PAGES 16384u
#define MS_MAX 10000l
#define KIB_MAX 1048576l

static volatile uint64_t (*memory)[PAGE_SIZE / sizeof(uint64_t)];

static void dirty(uint64_t from, uint64_t to)
{
	for (uint64_t page = from; page < to; page++)
		memory[page % PAGES][0] = page;
}

/* KIB_PER_S KiB a second are a quarter as many pages. */
static void pulse(long period_ms, long kib_per_s)
{
	const struct timespec period = { .tv_sec = period_ms / 1000, .tv_nsec = period_ms % 1000 * 1000000 };
	uint64_t written = 0;

	for (uint64_t n = 1;; n++) {
		uint64_t due = n * (uint64_t)kib_per_s * (uint64_t)period_ms / 4000;

		printf("@%" PRIu64 "\n", n);
		fflush(stdout);
		dirty(written, due);
		written = due;
		nanosleep(&period, NULL);
	}
}

int main(int argc, char **argv)
{
	long period_ms = argc >= 2 ? strtol(argv[1], NULL, 10) : 0;
	long kib_per_s = argc == 3 ? strtol(argv[2], NULL, 10) : 0;

	if (argc > 3 || period_ms < 1 || period_ms > MS_MAX || kib_per_s < 0 || kib_per_s > KIB_MAX) {
		fprintf(stderr, "usage: pulse PERIOD_MS [KIB_PER_S]\n");
		return 2;
	}
	memory = mmap(NULL, sizeof(*memory) * PAGES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (memory == MAP_FAILED) {
		perror("pulse");
		return 1;
	}
	pulse(period_ms, kib_per_s);
}
