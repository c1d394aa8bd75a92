/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Judges a guest's disks: what was fsynced is there, and what is read is what was written.
 *
 * Policy: a line of the guest that says that something is durable is a promise from then on, whatever happens to the
 * guest. It is kept if a check of the whole disk, made later and knowing of it, misses nothing. A disk that was written
 * and not checked afterwards fails, and so does one that was not written in each leg.
 */
#ifndef LAB_JUDGE_VERDICT_DISKS_H
#define LAB_JUDGE_VERDICT_DISKS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "transcript.h"

#define VERDICT_DISKS_MAX 8 /* the rest is no disk of a guest */

struct disks {
	size_t count;		 /* that were written */
	size_t idle_legs;	 /* pairs of a leg and a disk of which nothing became durable there */
	size_t unchecked;	 /* whose last check knew less than was promised */
	size_t unknown;		 /* lines about disks beyond VERDICT_DISKS_MAX */
	int64_t fsyncs, checked; /* lines; blocks that were read */
	int64_t checksum_errors; /* blocks that did not hold what was written, as often as they were seen */
	int64_t lost_fsyncs;	 /* blocks that lacked what was durable */
	int64_t failed;		 /* requests */
};

struct disks disks_judge(const struct transcript *transcript);

/* Prints "PASS ..." or "FAIL ..." per criterion, and returns whether all passed. */
bool verdict_of_disks(const struct disks *disks, FILE *out);

#endif
