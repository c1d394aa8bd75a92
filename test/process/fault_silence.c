/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The connection of a migration stays open and carries nothing more, both ways or one way: each side ends its wait.
 */
#include "fixture/crossing.h"

static const struct crossing_case cases[] = {
	{ "from HELLO on", NULL, CROSSING_STAYS, { "silence", "HELLO" } },
	{ "from CHECKED on", NULL, CROSSING_STAYS, { "silence", "CHECKED" } },
	{ "in PAGES", NULL, CROSSING_STAYS, { "silence", "PAGES:3+50" } },
	{ "from STATE on", NULL, CROSSING_STAYS, { "silence", "STATE" } },
	{ "from READY on", NULL, CROSSING_STAYS, { "silence", "READY" } },
	{ "from GO on", NULL, CROSSING_STAYS, { "silence", "GO" } },
	{ "in GO", NULL, CROSSING_STAYS, { "silence", "GO+3" } },
	{ "from DONE on", NULL, CROSSING_MOVES, { "silence", "DONE" } },
	{ "from SETTLED on", NULL, CROSSING_MOVES, { "silence", "SETTLED" } },
	{ "WELCOME does not arrive", NULL, CROSSING_STAYS, { "swallow", "WELCOME" } },
	{ "STAMPED does not arrive", NULL, CROSSING_STAYS, { "swallow", "STAMPED:3" } },
	{ "SYNCED does not arrive", NULL, CROSSING_STAYS, { "swallow", "SYNCED" } },
	{ "READY does not arrive", NULL, CROSSING_STAYS, { "swallow", "READY" } },
	{ "GO does not arrive", NULL, CROSSING_STAYS, { "swallow", "GO" } },
	{ "GO does not arrive, then cut before ABORT", NULL, CROSSING_STAYS, { "swallow", "GO", "cut", "ABORT" } },
	{ "DONE does not arrive", NULL, CROSSING_MOVES, { "swallow", "DONE" } },
	{ "SETTLED does not arrive", NULL, CROSSING_MOVES, { "swallow", "SETTLED" } },
	{ "from DONE on, and the first ANSWER does not arrive",
	  NULL,
	  CROSSING_MOVES,
	  { "silence", "DONE", "cut", "ANSWER" } },
	{ "from READY on, of a guest that holds", "guest=cooperative", CROSSING_STAYS, { "silence", "READY" } },
};

int main(void)
{
	return crossing_run_cases(cases, ARRAY_SIZE(cases), "frame_ms=1000,stopped_ms=1000,retry_ms=20");
}
