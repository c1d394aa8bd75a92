/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the makers of test vectors share: one structure that all functions take their arguments from and leave their
 * results in, so that a case may go on from the last one.
 *
 * Policy: random numbers from a fixed seed: the same vectors each time.
 */
#ifndef TEST_VECTORS_WRITE_H
#define TEST_VECTORS_WRITE_H

#include "../property/random.h"
#include "vector.h"

extern struct vector v;
extern struct random dice;

/* Runs a function on v, and writes the case. */
void emit(const char *function);

/* A rate: one of a real counter, a limit, or any. */
uint32_t any_rate(void);

/* ---- Each writes the cases of some functions ---- */

void write_timers(void);  /* of one timer (timer.c) */
void write_handoff(void); /* statements, stamps, results (handoff.c) */
void write_guests(void);  /* of whole guests (guest.c) */

#endif
