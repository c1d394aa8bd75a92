// SPDX-License-Identifier: BSD-2-Clause
/*
 * Refuses to answer. Policy: threads of the highest real-time priority leave nothing to kernel threads, interrupts go
 * on; with interrupts off not even stop_machine() gets that vCPU. It ends once the hypervisor no longer asks, however
 * long a migration takes to get there.
 */
#include "probe_refuse.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <seaclock/abi.h>

#include "probe_inspect.h"
#include "probe_line.h"
#include "probe_truth.h"

#define NS_PER_S 1000000000ll
#define CPUS_MAX 64
#define LOCK_CPU 1

#define POLL_NS (NS_PER_S / 20)

static pthread_barrier_t barrier;
static _Atomic bool over;

/* To the guest's scheduler this thread is busy; to the host the vCPU is idle, and its processor free for the move. */
static void *spin_run(void *unused)
{
	(void)unused;
	pthread_barrier_wait(&barrier);
	while (!atomic_load(&over))
		__asm__ volatile("wfi");
	return NULL;
}

/* The same, in the thread that sees when it is over: after the given seconds at most. */
static void *spin_watch(void *argument)
{
	int64_t asked = SC_ASK_NOTHING, before, now, end;

	pthread_barrier_wait(&barrier);
	now = truth_clock_ns(CLOCK_MONOTONIC);
	end = now + *(const unsigned int *)argument * NS_PER_S;
	do {
		before = asked;
		for (int64_t next = now + POLL_NS; now < next; now = truth_clock_ns(CLOCK_MONOTONIC))
			__asm__ volatile("wfi");
	} while (now < end && inspect_asked(&asked) && (asked != SC_ASK_NOTHING || before == SC_ASK_NOTHING));
	atomic_store(&over, true);
	return NULL;
}

static int spin_start(pthread_t *thread, int cpu, unsigned int *seconds)
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
	int err = pthread_create(thread, &attributes, cpu ? spin_run : spin_watch, seconds);

	pthread_attr_destroy(&attributes);
	return err;
}

/* Otherwise the kernel stops real-time threads that leave nothing to others. */
static int throttling_end(void)
{
	int fd = open("/proc/sys/kernel/sched_rt_runtime_us", O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	int err = write(fd, "-1", 2) == 2 ? 0 : -errno;

	close(fd);
	return err;
}

/* The threads wait for each other and for this one: none may keep another from being started. */
static int starve(unsigned int seconds)
{
	long online = sysconf(_SC_NPROCESSORS_ONLN);
	pthread_t threads[CPUS_MAX];
	int err = throttling_end();

	pthread_barrier_init(&barrier, NULL, (unsigned int)online + 1);
	for (long cpu = 0; cpu < online && !err; cpu++)
		err = -spin_start(&threads[cpu], (int)cpu, &seconds);
	if (err)
		return err;
	pthread_barrier_wait(&barrier);
	for (long cpu = 0; cpu < online; cpu++)
		pthread_join(threads[cpu], NULL);
	return 0;
}

static int lock(unsigned int seconds)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(LOCK_CPU, &set);
	return sched_setaffinity(0, sizeof(set), &set) ? -errno : inspect_lock(seconds * 1000);
}

static int act(const char *kind, unsigned int seconds)
{
	if (!strcmp(kind, "starve"))
		return starve(seconds);
	return strcmp(kind, "lock") ? -EINVAL : lock(seconds);
}

int refuse(const char *kind, unsigned int seconds)
{
	int64_t begun = truth_clock_ns(CLOCK_MONOTONIC);

	line_print("@refuse hz=%" PRIu64 " kind=%s state=begin", truth_rate(), kind);
	int err = act(kind, seconds);
	int64_t took = (truth_clock_ns(CLOCK_MONOTONIC) - begun) / NS_PER_S;

	line_print("@refuse hz=%" PRIu64 " kind=%s state=end s=%" PRId64, truth_rate(), kind, took);
	return err;
}
