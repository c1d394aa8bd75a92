/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Calls of the program under test that fail because a test says so: allocations, calls of the system, and those of the
 * fake host. Which one it is stands on a board, in memory that both processes share.
 *
 * Policy: calls of vmm/ that ../rules.mk lists go through here (it gives them another name there), and none that the
 * fake makes. Nothing fails, or is counted, until the board says so. A place in the program counts only as often as
 * FAULT_PLACE_MAX: the hundredth message fails as the third does. A place is where the call is made, and from where.
 */
#ifndef PROCESS_MONITOR_FAULT_H
#define PROCESS_MONITOR_FAULT_H

#include <stdbool.h>
#include <stdint.h>

#define FAULT_PLACE_MAX 3u
#define FAULT_DEPTH 8
#define FAULT_NAME_SIZE 32

enum fault_kind {
	FAULT_NONE,
	FAULT_ALLOCATION,
	FAULT_CALL,
	FAULT_INTERRUPTION, /* EINTR from a call that may wait */
	FAULT_HOST,	    /* a call of vmm/host/host.h */
	FAULT_KINDS
};

struct fault_board {
	int kind;		      /* atomic: written last, read first */
	uint32_t nth;		      /* the call of this kind that fails, from 0 on */
	uint32_t seen;		      /* atomic: calls of this kind */
	bool struck;		      /* atomic: it has failed, */
	char name[FAULT_NAME_SIZE];   /* and is called so, */
	uintptr_t place[FAULT_DEPTH]; /* from here, and so on: for addr2line */
};

/* The board is what the descriptor leads to. */
void fault_open(int board);

#endif
