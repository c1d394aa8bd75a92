/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reference time for guests that need not show how one gets at it: one hypervisor, one page, all processors.
 *
 * Policy: state as of struct machine, constant after reference_start().
 */
#ifndef TEST_BARE_REFERENCE_H
#define TEST_BARE_REFERENCE_H

#include <seaclock/guest.h>

#define SECOND 10000000ull
#define MS 10000ull

extern struct sc_guest hypervisor;

/* Finds the hypervisor and has it keep a page; false if there is none. */
bool reference_start(void);

/* Reference time, by the page. */
uint64_t reference_now(void);

/* The page's sequence: it is another one behind each migration. */
uint32_t reference_sequence(void);

/*
 * Gives the calling processor a direct timer that is stopped, timer 3: with one on each processor that is on, and with
 * the page, the monitor moves a guest to another counter rate without being forced.
 */
bool reference_movable(void);

#endif
