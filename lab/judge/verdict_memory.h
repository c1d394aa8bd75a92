/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Did a guest with a load on its memory find what it had written?
 */
#ifndef LAB_JUDGE_VERDICT_MEMORY_H
#define LAB_JUDGE_VERDICT_MEMORY_H

#include <stdbool.h>
#include <stdio.h>

#include "transcript.h"

/* Prints "PASS ..." if the memory was written in every leg and never wrong, else "FAIL ...". Returns whether it
 * passed. */
bool verdict_of_memory(const struct transcript *transcript, FILE *out);

#endif
