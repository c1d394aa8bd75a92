/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The connection of a migration is cut: before each message, in it, and where it has just passed; and at random bytes.
 */
#include "fixture/crossing.h"

static const struct crossing_case cases[] = {
	{ "before HELLO", NULL, CROSSING_STAYS, { "cut", "HELLO" } },
	{ "in HELLO", NULL, CROSSING_STAYS, { "cut", "HELLO+9" } },
	{ "before MACHINE", NULL, CROSSING_STAYS, { "cut", "MACHINE" } },
	{ "in MACHINE", NULL, CROSSING_STAYS, { "cut", "MACHINE+50" } },
	{ "before WELCOME", NULL, CROSSING_STAYS, { "cut", "WELCOME" } },
	{ "in WELCOME", NULL, CROSSING_STAYS, { "cut", "WELCOME+9" } },
	{ "before CHECK", NULL, CROSSING_STAYS, { "cut", "CHECK" } },
	{ "in CHECK", NULL, CROSSING_STAYS, { "cut", "CHECK+100" } },
	{ "before CHECKED", NULL, CROSSING_STAYS, { "cut", "CHECKED" } },
	{ "before STAMP", NULL, CROSSING_STAYS, { "cut", "STAMP" } },
	{ "in a later STAMP", NULL, CROSSING_STAYS, { "cut", "STAMP:12+5" } },
	{ "before STAMPED", NULL, CROSSING_STAYS, { "cut", "STAMPED" } },
	{ "in a later STAMPED", NULL, CROSSING_STAYS, { "cut", "STAMPED:12+5" } },
	{ "before CLOCK", NULL, CROSSING_STAYS, { "cut", "CLOCK" } },
	{ "before CLOCKED", NULL, CROSSING_STAYS, { "cut", "CLOCKED" } },
	{ "in CLOCKED", NULL, CROSSING_STAYS, { "cut", "CLOCKED+9" } },
	{ "before PAGES", NULL, CROSSING_STAYS, { "cut", "PAGES" } },
	{ "in later PAGES", NULL, CROSSING_STAYS, { "cut", "PAGES:5+4000" } },
	{ "before ZEROES", NULL, CROSSING_STAYS, { "cut", "ZEROES" } },
	{ "in ZEROES", NULL, CROSSING_STAYS, { "cut", "ZEROES+9" } },
	{ "before SYNC", NULL, CROSSING_STAYS, { "cut", "SYNC" } },
	{ "before SYNCED", NULL, CROSSING_STAYS, { "cut", "SYNCED" } },
	{ "before STATE", NULL, CROSSING_STAYS, { "cut", "STATE" } },
	{ "in STATE", NULL, CROSSING_STAYS, { "cut", "STATE+300" } },
	{ "STATE damaged, then before ABORT", NULL, CROSSING_STAYS, { "damage", "STATE+200", "cut", "ABORT" } },
	{ "STATE damaged, then in ABORT", NULL, CROSSING_STAYS, { "damage", "STATE+200", "cut", "ABORT+9" } },
	{ "before READY", NULL, CROSSING_STAYS, { "cut", "READY" } },
	{ "in READY", NULL, CROSSING_STAYS, { "cut", "READY+11" } },
	{ "before GO", NULL, CROSSING_STAYS, { "cut", "GO" } },
	{ "in GO", NULL, CROSSING_STAYS, { "cut", "GO+3" } },
	{ "before GO, then before QUESTION", NULL, CROSSING_STAYS, { "cut", "GO", "cut", "QUESTION" } },
	{ "before GO, then in QUESTION", NULL, CROSSING_STAYS, { "cut", "GO", "cut", "QUESTION+9" } },
	{ "before GO, then before ANSWER", NULL, CROSSING_STAYS, { "cut", "GO", "cut", "ANSWER" } },
	{ "before GO, then in ANSWER", NULL, CROSSING_STAYS, { "cut", "GO", "cut", "ANSWER+5" } },
	{ "before DONE", NULL, CROSSING_MOVES, { "cut", "DONE" } },
	{ "in DONE", NULL, CROSSING_MOVES, { "cut", "DONE+3" } },
	{ "before DONE, then before QUESTION", NULL, CROSSING_MOVES, { "cut", "DONE", "cut", "QUESTION" } },
	{ "in DONE, then before ANSWER", NULL, CROSSING_MOVES, { "cut", "DONE+7", "cut", "ANSWER" } },
	{ "before DONE, then in ANSWER", NULL, CROSSING_MOVES, { "cut", "DONE", "cut", "ANSWER+11" } },
	{ "before SETTLED", NULL, CROSSING_MOVES, { "cut", "SETTLED" } },
	{ "in SETTLED", NULL, CROSSING_MOVES, { "cut", "SETTLED+20" } },
	{ "before DONE, then before SETTLED", NULL, CROSSING_MOVES, { "cut", "DONE", "cut", "SETTLED" } },
	{ "before DONE, of a guest that holds", "guest=cooperative", CROSSING_MOVES, { "cut", "DONE" } },
	{ "before READY, of a guest that holds", "guest=cooperative", CROSSING_STAYS, { "cut", "READY" } },
	{ "before GO, of a guest that holds", "guest=cooperative", CROSSING_STAYS, { "cut", "GO" } },
};

int main(void)
{
	return crossing_run_cases(cases, ARRAY_SIZE(cases), "retry_ms=20");
}
