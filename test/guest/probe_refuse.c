// SPDX-License-Identifier: BSD-2-Clause
/*
 * Refuses to answer. Policy: threads of the highest real-time priority leave nothing to kernel threads, interrupts go
 * on; with interrupts off not even stop_machine() gets that vCPU. Each turn ends by itself, by the guest's clock.
 */
#include "probe_refuse.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <sched.h>
#include <stdint.h>
#include <time.h>
#include <unistd.h>

#include "probe_inspect.h"
#include "probe_line.h"
#include "probe_truth.h"

#define NS_PER_S 1000000000ll
#define CPUS_MAX 64
#define LOCK_CPU 1

static struct refuse_plan refuse_plan;
static pthread_barrier_t barrier;
static unsigned int turns;

/* To the guest's scheduler this thread is busy; to the host the vCPU is idle, and leaves it to the migration. */
static void *spin_run(void *argument)
{
	int64_t length = *(const unsigned int *)argument * NS_PER_S;

	pthread_barrier_wait(&barrier);
	for (int64_t end = truth_clock_ns(CLOCK_MONOTONIC) + length; truth_clock_ns(CLOCK_MONOTONIC) < end;)
		__asm__ volatile("wfi");
	return NULL;
}

static int spin_start(pthread_t *thread, int cpu)
{
	const struct sched_param param = { .sched_priority = sched_get_priority_max(SCHED_FIFO) };
	pthread_attr_t attributes;
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	pthread_attr_init(&attributes);
	pthread_attr_setinheritsched(&attributes, PTHREAD_EXPLICIT_SCHED);
	pthread_attr_setschedpolicy(&attributes, SCHED_FIFO);
	pthread_attr_setschedparam(&attributes, &param);
	pthread_attr_setaffinity_np(&attributes, sizeof(set), &set);
	int err = pthread_create(thread, &attributes, spin_run, &refuse_plan.starve_s);

	pthread_attr_destroy(&attributes);
	return err;
}

/* The threads wait for each other, and the last one for this one: none may keep another from being started. */
static void starve(void)
{
	long online = sysconf(_SC_NPROCESSORS_ONLN);
	pthread_t threads[CPUS_MAX];
	long started = 0;

	pthread_barrier_init(&barrier, NULL, (unsigned int)online + 1);
	while (started < online && spin_start(&threads[started], (int)started) == 0)
		started++;
	if (started < online) {
		line_print("@refuse failed=%ld", started);
		return;
	}
	pthread_barrier_wait(&barrier);
	for (long i = 0; i < started; i++)
		pthread_join(threads[i], NULL);
	pthread_barrier_destroy(&barrier);
}

static void lock(void)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(LOCK_CPU, &set);
	int err = sched_setaffinity(0, sizeof(set), &set) ? -errno : inspect_lock(refuse_plan.lock_s * 1000);

	if (err)
		line_print("@refuse failed=%d", err);
}

static void turn(const char *kind, unsigned int length_s, void (*act)(void))
{
	const struct timespec pause = { .tv_sec = refuse_plan.pause_s };

	if (!length_s)
		return;
	nanosleep(&pause, NULL);
	line_print("@refuse hz=%" PRIu64 " n=%u kind=%s state=begin", truth_rate(), ++turns, kind);
	act();
	line_print("@refuse hz=%" PRIu64 " n=%u kind=%s state=end", truth_rate(), turns, kind);
}

static void *refuse_run(void *argument)
{
	for (;;) {
		turn("starve", refuse_plan.starve_s, starve);
		turn("lock", refuse_plan.lock_s, lock);
	}
	return argument;
}

/* Else the kernel stops real-time threads that leave nothing to others. */
static int throttling_end(void)
{
	int fd = open("/proc/sys/kernel/sched_rt_runtime_us", O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	int err = write(fd, "-1", 2) == 2 ? 0 : -errno;

	close(fd);
	return err;
}

int refuse_start(const struct refuse_plan *plan)
{
	pthread_t thread;
	int err = throttling_end();

	refuse_plan = *plan;
	return err ? err : -pthread_create(&thread, NULL, refuse_run, NULL);
}
