/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Counting by single steps.
 *
 * Policy: two runs of different length are compared, so that everything outside the loop cancels. Stepping is slow
 * enough that a reader of a changing page may find it changed and start over; each run is therefore tried several
 * times, and the shortest try counts. Both processes share one processor, since waking another one costs more than the
 * step.
 */
#include "instructions.h"

#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#define FEW 1
#define MANY 3
#define TRIES 32
#define STEPS_MAX 2000

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

/* Steps from the first SIGSTOP to the second; -1 if the child cannot be traced, or does not come to its end. */
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
	} while (stop_signal != SIGSTOP && steps < STEPS_MAX);
	return stop_signal == SIGSTOP ? steps : -1;
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

/* The shortest of several tries; -1 if none came to its end. */
static int64_t steps_least(bench_loop loop, uint64_t iterations)
{
	int64_t least = -1;

	for (unsigned int i = 0; i < TRIES; i++) {
		int64_t steps = steps_of(loop, iterations);

		if (steps >= 0 && (least < 0 || steps < least))
			least = steps;
	}
	return least;
}

int64_t instructions_per_iteration(bench_loop loop)
{
	int64_t few, many;
	cpu_set_t before, one;

	CPU_ZERO(&one);
	CPU_SET(sched_getcpu(), &one);
	if (sched_getaffinity(0, sizeof(before), &before) || sched_setaffinity(0, sizeof(one), &one))
		return -1;
	few = steps_least(loop, FEW);
	many = steps_least(loop, MANY);
	sched_setaffinity(0, sizeof(before), &before);
	if (few < 0 || many < few)
		return -1;
	return (many - few) / (MANY - FEW);
}
