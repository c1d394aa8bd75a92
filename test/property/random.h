/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Random cases for property tests: a small generator, and the frame of a test program.
 *
 * Policy: every run prints its seed, SEED=n in the environment replays it. Not for secrets.
 */
#ifndef RANDOM_H
#define RANDOM_H

#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

struct random {
	uint64_t state;
};

/* A counter, scrambled by two rounds of multiply and shift. */
static inline uint64_t random_next(struct random *random)
{
	uint64_t x = random->state += 0x9e3779b97f4a7c15u;

	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
	x = (x ^ x >> 27) * 0x94d049bb133111ebu;
	return x ^ x >> 31;
}

/* From low to high, both included; high - low < UINT64_MAX. Not exactly even, and need not be. */
static inline uint64_t random_between(struct random *random, uint64_t low, uint64_t high)
{
	return low + random_next(random) % (high - low + 1);
}

/* Any number of bits, all lengths equally likely: small numbers, huge ones, and all ones. */
static inline uint64_t random_wide(struct random *random)
{
	uint64_t bits = random_between(random, 0, 64), x = random_next(random);

	if (random_next(random) % 16 == 0)
		x = UINT64_MAX;
	return bits ? x >> (64 - bits) : 0;
}

static inline bool random_chance(struct random *random, uint32_t one_in)
{
	return random_next(random) % one_in == 0;
}

/* A rate of a real counter, 13 MHz to 1.2 GHz; often one that hosts have. */
static inline uint32_t random_rate(struct random *random)
{
	static const uint32_t real[] = { 13000000, 19200000, 24000000,	25000000,  31250000,   50000000,
					 54000000, 62500000, 100000000, 121875000, 1000000000, 1050000000 };

	if (random_chance(random, 2))
		return real[random_next(random) % (sizeof(real) / sizeof(real[0]))];
	return (uint32_t)random_between(random, 13000000, 1200000000);
}

/* The seed of this run, printed. */
static inline struct random random_start(void)
{
	const char *text = getenv("SEED");
	struct random random = { text ? strtoull(text, NULL, 0) : (uint64_t)time(NULL) };

	printf("SEED=%" PRIu64 "\n", random.state);
	return random;
}

/* Ends the program if the condition does not hold; the message says what was seen. */
#define PROPERTY(condition, ...)                                                                                       \
	do {                                                                                                           \
		if (!(condition)) {                                                                                    \
			fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition);                        \
			fprintf(stderr, __VA_ARGS__);                                                                  \
			fputc('\n', stderr);                                                                           \
			exit(1);                                                                                       \
		}                                                                                                      \
	} while (0)

#endif
