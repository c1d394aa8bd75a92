// SPDX-License-Identifier: BSD-2-Clause
/* Where requests go: see the header. Policy: xorshift64 is random enough to leave nothing to a cache or to merging. */
#include "iops_walk.h"

#define SEED 0x9e3779b97f4a7c15u

bool walk_begin(struct walk *walk, bool random, uint64_t size, uint64_t disk)
{
	*walk = (struct walk){ .random = random, .size = size, .next = random ? SEED : 0 };
	walk->places = size ? disk / size : 0;
	return walk->places;
}

static uint64_t xorshift(uint64_t x)
{
	x ^= x << 13;
	x ^= x >> 7;
	return x ^ x << 17;
}

uint64_t walk_next(struct walk *walk)
{
	uint64_t place = walk->next;

	if (walk->random)
		place = walk->next = xorshift(place);
	else
		walk->next = (place + 1) % walk->places;
	return place % walk->places * walk->size;
}
