// SPDX-License-Identifier: BSD-2-Clause
/*
 * CPU hotplug as load. Policy: a refused change is counted and tried again; the judge decides whether that is a
 * failure. The scheduler's deadline servers are off meanwhile: a stock kernel 6.12, without any module and without a
 * migration, loses count of them when CPUs come and go fast, and warns ("dl_rq->running_bw > old"; observed).
 */
#include "probe_hotplug.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <unistd.h>

#include "probe_line.h"
#include "probe_truth.h"

#define SWITCH "/sys/devices/system/cpu/cpu1/online"

static unsigned int period;
static _Atomic uint64_t offline, online, refused;

static int cpu_switch(char state)
{
	int fd = open(SWITCH, O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	int err = write(fd, &state, 1) == 1 ? 0 : -errno;

	close(fd);
	return err;
}

static void *hotplug_run(void *argument)
{
	const struct timespec pause = { period / 1000, period % 1000 * 1000000l };

	for (int state = 0;; state = !state) {
		nanosleep(&pause, NULL);
		while (cpu_switch(state ? '1' : '0') != 0) {
			atomic_fetch_add(&refused, 1);
			nanosleep(&pause, NULL);
		}
		atomic_fetch_add(state ? &online : &offline, 1);
	}
	return argument;
}

/* Kernels without these servers have no such files. */
static void servers_end(void)
{
	for (long cpu = 0; cpu < sysconf(_SC_NPROCESSORS_CONF); cpu++) {
		char path[80];

		snprintf(path, sizeof(path), "/sys/kernel/debug/sched/fair_server/cpu%ld/runtime", cpu);
		int fd = open(path, O_WRONLY | O_CLOEXEC);

		if (fd < 0)
			continue;
		if (write(fd, "0", 1) != 1)
			perror(path);
		close(fd);
	}
}

int hotplug_start(unsigned int period_ms)
{
	pthread_t thread;

	if (access(SWITCH, W_OK) != 0)
		return -errno;
	servers_end();
	period = period_ms;
	return -pthread_create(&thread, NULL, hotplug_run, NULL);
}

void hotplug_report(void)
{
	line_print("@hotplug hz=%" PRIu64 " offline=%" PRIu64 " online=%" PRIu64 " refused=%" PRIu64, truth_rate(),
		   offline, online, refused);
}
