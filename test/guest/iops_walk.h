/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which bytes of a disk the load on it takes, request by request. Policy: the same on every run, so that monitors are
 * given the same work.
 */
#ifndef TEST_GUEST_IOPS_WALK_H
#define TEST_GUEST_IOPS_WALK_H

#include <stdbool.h>
#include <stdint.h>

struct walk {
	bool random;
	uint64_t size;	 /* bytes of a request */
	uint64_t places; /* of this size on the disk */
	uint64_t next;	 /* sequential: place; random: state of the generator, not 0 */
};

/* False if not even one request fits on the disk of so many bytes, or its size is 0. */
bool walk_begin(struct walk *walk, bool random, uint64_t size, uint64_t disk);

/* Where the next request begins, in bytes: a multiple of its size. */
uint64_t walk_next(struct walk *walk);

#endif
