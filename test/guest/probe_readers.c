// SPDX-License-Identifier: BSD-2-Clause
/*
 * Looks for backward steps of all clocks that the vDSO serves, on two vCPUs. Policy: CLOCK_MONOTONIC is read most, the
 * others in every sixteenth reading; pauses leave room for the rest of the guest, since it is emulated.
 */
#include "probe_readers.h"

#include <inttypes.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <time.h>
#include <unistd.h>

#include "probe_line.h"
#include "probe_truth.h"

#define READER_COUNT 2
#define CLOCK_COUNT 7
#define COARSE_FIRST 5
#define OTHER_CLOCK_EVERY 16

static const clockid_t clocks[CLOCK_COUNT] = {
	CLOCK_MONOTONIC,     CLOCK_BOOTTIME,	     CLOCK_REALTIME,	    CLOCK_TAI,
	CLOCK_MONOTONIC_RAW, CLOCK_MONOTONIC_COARSE, CLOCK_REALTIME_COARSE,
};

/* The newest reading of each clock by any thread. */
static _Atomic int64_t newest[CLOCK_COUNT];

struct reader {
	unsigned int cpu;
	unsigned int burst;
	unsigned int pause_us;
	int64_t last[CLOCK_COUNT];
	_Atomic uint64_t reads;
	_Atomic uint64_t own_steps;
	_Atomic uint64_t cross_steps;
	_Atomic uint64_t coarse_steps; /* those of both that a coarse clock made */
	_Atomic int64_t worst;
};

static struct reader readers[READER_COUNT];

static void publish(_Atomic int64_t *place, int64_t value)
{
	int64_t old = atomic_load(place);

	while (value > old && !atomic_compare_exchange_weak(place, &old, value))
		;
}

static void reader_step(struct reader *reader, int clock)
{
	int64_t floor = atomic_load(&newest[clock]);
	int64_t now = truth_clock_ns(clocks[clock]);

	if (now < reader->last[clock])
		atomic_fetch_add(&reader->own_steps, 1);
	else if (now < floor)
		atomic_fetch_add(&reader->cross_steps, 1);
	if (clock >= COARSE_FIRST && now < floor)
		atomic_fetch_add(&reader->coarse_steps, 1);
	publish(&reader->worst, floor - now);
	publish(&newest[clock], now);
	reader->last[clock] = now;
	atomic_fetch_add(&reader->reads, 1);
}

static void reader_burst(struct reader *reader)
{
	for (unsigned int i = 0; i < reader->burst; i++) {
		reader_step(reader, 0);
		for (int clock = 1; clock < CLOCK_COUNT && i % OTHER_CLOCK_EVERY == 0; clock++)
			reader_step(reader, clock);
	}
}

static void *reader_run(void *argument)
{
	struct reader *reader = argument;
	const struct timespec pause = { .tv_sec = 0, .tv_nsec = reader->pause_us * 1000l };
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(reader->cpu, &set);
	/* With one vCPU both threads share it, and the kernel lets go of the pin when a vCPU goes offline. */
	sched_setaffinity(0, sizeof(set), &set);
	for (;;) {
		reader_burst(reader);
		nanosleep(&pause, NULL);
	}
	return NULL;
}

int readers_start(unsigned int burst, unsigned int pause_us)
{
	long online = sysconf(_SC_NPROCESSORS_ONLN);

	for (unsigned int i = 0; i < READER_COUNT; i++) {
		pthread_t thread;

		readers[i].cpu = i < online ? i : 0;
		readers[i].burst = burst;
		readers[i].pause_us = pause_us;
		int err = pthread_create(&thread, NULL, reader_run, &readers[i]);

		if (err)
			return -err;
	}
	return 0;
}

void readers_report(void)
{
	uint64_t own = 0, cross = 0, coarse = 0;
	int64_t worst = 0;

	for (int i = 0; i < READER_COUNT; i++) {
		own += atomic_load(&readers[i].own_steps);
		cross += atomic_load(&readers[i].cross_steps);
		coarse += atomic_load(&readers[i].coarse_steps);
		worst = worst > readers[i].worst ? worst : readers[i].worst;
	}
	line_print("@reads hz=%" PRIu64 " n0=%" PRIu64 " n1=%" PRIu64 " back=%" PRIu64 " cross=%" PRIu64
		   " coarse=%" PRIu64 " worst=%" PRId64,
		   truth_rate(), readers[0].reads, readers[1].reads, own, cross, coarse, worst);
}
