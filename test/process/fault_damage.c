/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Bytes of a migration are damaged, from a place on and in one direction: nobody goes by what is damaged. And the
 * connection is cut at random bytes; SEED repeats a run.
 */
#include "fixture/crossing.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

/* Bytes of which a migration has more before the stop. */
#define EARLY_BYTES 100000u
#define RANDOM_CASES 4u

static char random_places[RANDOM_CASES][16];

static struct crossing_case cases[] = {
	{ "from the beginning", NULL, CROSSING_STAYS, { "damage", "1" } },
	{ "in HELLO", NULL, CROSSING_STAYS, { "damage", "HELLO+20" } },
	{ "from WELCOME on", NULL, CROSSING_STAYS, { "damage", "WELCOME" } },
	{ "in CHECK", NULL, CROSSING_STAYS, { "damage", "CHECK+40" } },
	{ "from CHECKED on", NULL, CROSSING_STAYS, { "damage", "CHECKED" } },
	{ "from STAMP on", NULL, CROSSING_STAYS, { "damage", "STAMP:3" } },
	{ "in STAMPED", NULL, CROSSING_STAYS, { "damage", "STAMPED:3+8" } },
	{ "in CLOCKED", NULL, CROSSING_STAYS, { "damage", "CLOCKED+8" } },
	{ "in PAGES", NULL, CROSSING_STAYS, { "damage", "PAGES:2+100" } },
	{ "in ZEROES", NULL, CROSSING_STAYS, { "damage", "ZEROES+8" } },
	{ "from SYNCED on", NULL, CROSSING_STAYS, { "damage", "SYNCED" } },
	{ "from STATE on", NULL, CROSSING_STAYS, { "damage", "STATE" } },
	{ "in STATE", NULL, CROSSING_STAYS, { "damage", "STATE+200" } },
	{ "from READY on", NULL, CROSSING_STAYS, { "damage", "READY" } },
	{ "in READY", NULL, CROSSING_STAYS, { "damage", "READY+8" } },
	{ "from GO on", NULL, CROSSING_STAYS, { "damage", "GO" } },
	{ "cut before GO, then in QUESTION", NULL, CROSSING_STAYS, { "cut", "GO", "damage", "QUESTION+8" } },
	{ "from DONE on", NULL, CROSSING_MOVES, { "damage", "DONE" } },
	{ "from DONE on, then from ANSWER on", NULL, CROSSING_MOVES, { "damage", "DONE", "damage", "ANSWER" } },
	{ "from DONE on, then in ANSWER", NULL, CROSSING_MOVES, { "damage", "DONE", "damage", "ANSWER+8" } },
	{ "in SETTLED", NULL, CROSSING_MOVES, { "damage", "SETTLED+8" } },
	{ "cut at a random byte", NULL, CROSSING_STAYS, { "cut", random_places[0] } },
	{ "cut at another", NULL, CROSSING_STAYS, { "cut", random_places[1] } },
	{ "damaged from a random byte on", NULL, CROSSING_STAYS, { "damage", random_places[2] } },
	{ "damaged from another on", NULL, CROSSING_STAYS, { "damage", random_places[3] } },
};

int main(void)
{
	const char *given = getenv("SEED");
	unsigned int seed = given ? (unsigned int)strtoul(given, NULL, 10) : (unsigned int)time(NULL);

	printf("SEED=%u\n", seed);
	for (unsigned int n = 0; n < RANDOM_CASES; n++)
		snprintf(random_places[n], sizeof(random_places[n]), "%u", (unsigned int)rand_r(&seed) % EARLY_BYTES);
	return crossing_run_cases(cases, ARRAY_SIZE(cases), "retry_ms=20");
}
