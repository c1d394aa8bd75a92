// SPDX-License-Identifier: BSD-2-Clause
/*
 * Dirties memory and checks it. Policy: the rate holds on average over a second; time that the guest did not run is not
 * made up for, or a stop would end in a burst.
 */
#include "probe_memory.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <sys/mman.h>
#include <time.h>

#include "probe_line.h"
#include "probe_pattern.h"
#include "probe_truth.h"

#define NS_PER_S 1000000000ll
#define PAGES_PER_MIB ((1u << 20) / PATTERN_PAGE_SIZE)
#define PAGES_PER_TURN 64
#define BEHIND_MAX_NS (NS_PER_S / 10)

static uint64_t *block;
static uint64_t pages;
static int64_t turn_ns; /* from one turn to the next */
static _Atomic uint64_t written, faults, fault_page, fault_generation;

static void page_check(uint64_t page, uint64_t generation)
{
	if (pattern_check(block + page * PATTERN_PAGE_WORDS, page, generation) == 0)
		return;
	if (atomic_fetch_add(&faults, 1) == 0) {
		fault_page = page;
		fault_generation = generation;
	}
}

/* Write number n, counted over all generations. */
static void page_renew(uint64_t n)
{
	uint64_t page = n % pages, generation = n / pages;

	page_check(page, generation);
	pattern_write(block + page * PATTERN_PAGE_WORDS, page, generation + 1);
	atomic_fetch_add(&written, 1);
}

/* Waits for the next turn and returns when it was due. */
static int64_t turn_wait(int64_t due)
{
	int64_t now = truth_clock_ns(CLOCK_MONOTONIC);
	struct timespec time;

	due += turn_ns;
	if (due < now - BEHIND_MAX_NS)
		due = now;
	time = (struct timespec){ .tv_sec = due / NS_PER_S, .tv_nsec = due % NS_PER_S };
	clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &time, NULL);
	return due;
}

static void *memory_run(void *argument)
{
	int64_t due = truth_clock_ns(CLOCK_MONOTONIC);

	for (uint64_t n = 0;; n++) {
		if (n % PAGES_PER_TURN == 0)
			due = turn_wait(due);
		page_renew(n);
	}
	return argument;
}

int memory_start(unsigned int size_mib, unsigned int rate_mib)
{
	pthread_t thread;

	pages = (uint64_t)size_mib * PAGES_PER_MIB;
	turn_ns = PAGES_PER_TURN * NS_PER_S / ((int64_t)rate_mib * PAGES_PER_MIB);
	block = mmap(NULL, pages * PATTERN_PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (block == MAP_FAILED)
		return -errno;
	return -pthread_create(&thread, NULL, memory_run, NULL);
}

void memory_report(void)
{
	line_print("@memory hz=%" PRIu64 " pages=%" PRIu64 " written=%" PRIu64 " wrong=%" PRIu64 " page=%" PRIu64
		   " generation=%" PRIu64,
		   truth_rate(), pages, written, faults, fault_page, fault_generation);
}
