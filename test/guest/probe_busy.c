// SPDX-License-Identifier: BSD-2-Clause
/*
 * Runs the two busy loops. Policy: everything that reports stays on other vCPUs, if there are any, so the loops should
 * get all of theirs.
 */
#include "probe_busy.h"

#include <errno.h>
#include <inttypes.h>
#include <sched.h>
#include <signal.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "probe_line.h"

#define LOOP_COUNT 2
#define LOOP_CHUNK 10000

struct loop {
	_Atomic uint64_t chunks;
	_Atomic int64_t ns; /* of processor time, after the last chunk */
};

static struct loop *loops;
static pid_t process;
static clockid_t process_clock;

static void *loop_run(void *argument)
{
	struct loop *mine = argument;

	for (;;) {
		for (volatile unsigned int i = 0; i < LOOP_CHUNK; i++)
			;
		mine->ns = truth_clock_ns(CLOCK_THREAD_CPUTIME_ID);
		atomic_fetch_add(&mine->chunks, 1);
	}
	return NULL;
}

/* The child: never returns. */
static void loops_run(void)
{
	pthread_t thread;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (pthread_create(&thread, NULL, loop_run, &loops[1]) != 0)
		_exit(1);
	loop_run(&loops[0]);
	_exit(1);
}

static void pin(unsigned int first, unsigned int count)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	for (unsigned int i = first; i < first + count; i++)
		CPU_SET(i, &set);
	sched_setaffinity(0, sizeof(set), &set);
}

int busy_start(void)
{
	unsigned int online = (unsigned int)sysconf(_SC_NPROCESSORS_ONLN);

	loops = mmap(NULL, LOOP_COUNT * sizeof(*loops), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (loops == MAP_FAILED)
		return -errno;
	process = fork();
	if (process < 0)
		return -errno;
	if (process == 0) {
		pin(online - 1, 1);
		loops_run();
	}
	if (online > 1)
		pin(0, online - 1);
	return -clock_getcpuclockid(process, &process_clock);
}

void busy_report(const struct truth *truth)
{
	uint64_t hz;
	int64_t ptp = truth_read(truth, &hz);
	int64_t cpu = truth_clock_ns(process_clock);

	line_print("@busy hz=%" PRIu64 " ptp=%" PRId64 " cpu=%" PRId64 " a=%" PRIu64 " b=%" PRIu64 " a_ns=%" PRId64
		   " b_ns=%" PRId64,
		   hz, ptp, cpu, loops[0].chunks, loops[1].chunks, loops[0].ns, loops[1].ns);
}

void busy_stop(void)
{
	kill(process, SIGKILL);
	waitpid(process, NULL, 0);
}
