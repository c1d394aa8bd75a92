/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Counting by single steps.
 *
 * Policy: two runs of different length are compared, so that everything outside the loop cancels.
 */
#include "instructions.h"

#include <signal.h>
#include <stdbool.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#define FEW 8
#define MANY 72

/* Stops before and after the loop, so that the parent knows where to count. */
static void run_traced(bench_loop loop, uint64_t iterations)
{
	if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) != 0)
		_exit(1);
	raise(SIGSTOP);
	loop(iterations);
	raise(SIGSTOP);
	_exit(0);
}

static bool child_stopped_by(pid_t child, int *stop_signal)
{
	int status;

	if (waitpid(child, &status, 0) != child || !WIFSTOPPED(status))
		return false;
	*stop_signal = WSTOPSIG(status);
	return true;
}

/* Steps from the first SIGSTOP to the second; -1 if the child cannot be traced. */
static int64_t count_steps(pid_t child)
{
	int64_t steps = 0;
	int stop_signal;

	if (!child_stopped_by(child, &stop_signal))
		return -1;
	do {
		if (ptrace(PTRACE_SINGLESTEP, child, NULL, NULL) != 0 || !child_stopped_by(child, &stop_signal))
			return -1;
		steps++;
	} while (stop_signal != SIGSTOP);
	return steps;
}

static int64_t steps_of(bench_loop loop, uint64_t iterations)
{
	int64_t steps;
	pid_t child = fork();

	if (child == 0)
		run_traced(loop, iterations);
	if (child < 0)
		return -1;
	steps = count_steps(child);
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	return steps;
}

int64_t instructions_per_iteration(bench_loop loop)
{
	int64_t few = steps_of(loop, FEW);
	int64_t many = steps_of(loop, MANY);

	if (few < 0 || many < few)
		return -1;
	return (many - few + (MANY - FEW) / 2) / (MANY - FEW);
}
