/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Counts the instructions of a piece of code, exactly and on any machine: a child runs it, and its parent steps through
 * it one instruction at a time. Performance counters are missing in most virtual machines; ptrace is not.
 */
#ifndef BENCH_INSTRUCTIONS_H
#define BENCH_INSTRUCTIONS_H

#include <stdint.h>

typedef void (*bench_loop)(uint64_t iterations);

/* The user-space instructions of one iteration; -1 where stepping is not permitted. */
int64_t instructions_per_iteration(bench_loop loop);

#endif
