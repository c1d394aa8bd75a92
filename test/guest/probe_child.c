// SPDX-License-Identifier: BSD-2-Clause
/*
 * Forks, measures and waits. Policy: a child that does not end as it should has measured nothing.
 */
#include "probe_child.h"

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "probe_stamp.h"

#define BUSY_NS 200000000ll
#define BUSY_TURNS 10000
/* Above everything else that runs in the guest, the thread that samples included. */
#define BUSY_PRIORITY 60

/* Runs the function in a child, which exits with its result. Returns whether that was 0. */
static bool child_run(int (*run)(const void *argument, struct child_time *shared), const void *argument,
		      struct child_time *shared)
{
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		_exit(run(argument, shared));
	}
	return pid > 0 && waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

/* From here on a system call for the time kills this process. */
static int filter_install(void)
{
	struct sock_filter filter[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_clock_gettime, 1, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_gettimeofday, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = { .len = sizeof(filter) / sizeof(filter[0]), .filter = filter };

	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
}

static int vdso_run(const void *argument, struct child_time *shared)
{
	static const clockid_t clocks[] = { CLOCK_MONOTONIC,	  CLOCK_REALTIME,
					    CLOCK_BOOTTIME,	  CLOCK_TAI,
					    CLOCK_MONOTONIC_RAW,  CLOCK_MONOTONIC_COARSE,
					    CLOCK_REALTIME_COARSE };
	struct timespec now;
	struct timeval day;

	(void)argument;
	(void)shared;
	if (filter_install() != 0)
		return 1;
	for (size_t i = 0; i < sizeof(clocks) / sizeof(clocks[0]); i++)
		if (clock_gettime(clocks[i], &now) != 0)
			return 1;
	return gettimeofday(&day, NULL) != 0;
}

bool child_uses_vdso(void)
{
	return child_run(vdso_run, NULL, NULL);
}

static void busy_turns(void)
{
	for (volatile unsigned int i = 0; i < BUSY_TURNS; i++)
		;
}

static bool busy_clock(int64_t *ns)
{
	*ns = truth_clock_ns(CLOCK_PROCESS_CPUTIME_ID);
	return true;
}

static int busy_run(const void *argument, struct child_time *shared)
{
	const struct sched_param param = { .sched_priority = BUSY_PRIORITY };
	uint64_t hz = truth_rate(), hz_now;
	struct stamp begin, end;

	if (sched_setscheduler(0, SCHED_FIFO, &param) != 0 || !stamp_take(&begin, argument, busy_clock))
		return 1;
	do
		busy_turns();
	while (truth_read(argument, &hz_now) - begin.ptp < BUSY_NS && hz_now == hz);
	if (!stamp_take(&end, argument, busy_clock))
		return 1;
	*shared = (struct child_time){ .cpu = end.value - begin.value, .truth = end.ptp - begin.ptp };
	return truth_rate() != hz || shared->truth > 2 * BUSY_NS;
}

struct child_time child_time_take(const struct truth *truth)
{
	struct child_time *shared =
		mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct child_time result = { 0 };

	if (shared == MAP_FAILED)
		return result;
	if (child_run(busy_run, truth, shared))
		result = *shared;
	munmap(shared, sizeof(*shared));
	return result;
}
