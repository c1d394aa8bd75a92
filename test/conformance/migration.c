/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What holds across a migration to a host with another counter rate.
 *
 * Policy: each case asks for one migration in its middle. Upper bounds are generous: the machines may be busy.
 */
#include "conformance.h"

static const struct sc_reference_tsc_page *page(void)
{
	return port_memory(PAGE_CLOCK);
}

static bool clock(struct trial *trial)
{
	uint64_t before = trial_now(trial), after;

	if (!expect(trial, port_migrate(), true))
		return false;
	after = trial_now(trial);
	/* Not back, and not so far ahead as if the counter's new rate had been taken for the old one. */
	return expect_true(trial, after >= before && after - before < 120 * SECOND, after) &&
	       expect_true(trial, trial_now(trial) - after < 5 * SECOND, after);
}

static bool page_follows(struct trial *trial)
{
	unsigned __int128 wanted = (unsigned __int128)SC_REF_HZ << 64;
	uint32_t sequence = page()->sequence;
	uint64_t hz;

	if (!expect(trial, port_migrate(), true))
		return false;
	hz = port_counter_hz();
	return expect_true(trial, page()->sequence != sequence && page()->sequence, page()->sequence) &&
	       expect_true(trial,
			   (unsigned __int128)page()->scale * hz <= wanted &&
				   ((unsigned __int128)page()->scale + 1) * hz > wanted,
			   page()->scale);
}

static bool periodic(struct trial *trial)
{
	uint64_t period = 10 * MS, before = trial_now(trial), fired, after;
	uint32_t start = port_interrupts(INTID_A), migrated;

	if (!trial_set(trial, CONFIG(0), AUTO | PERIODIC | AIM(INTID_A)) || !trial_set(trial, COUNT(0), period) ||
	    !expect(trial, port_migrate(), true))
		return false;
	migrated = port_interrupts(INTID_A);
	if (!port_wait(trial_now(trial) + SECOND))
		return expect(trial, 0, 1);
	fired = port_interrupts(INTID_A) - start;
	after = trial_now(trial);
	return expect_true(trial, port_interrupts(INTID_A) - migrated >= 3, port_interrupts(INTID_A) - migrated) &&
	       expect_true(trial, fired <= (after - before) / period, fired);
}

static bool message(struct trial *trial)
{
	static const struct step steps[] = { SET(SC_REG_SCONTROL, SC_SCONTROL_ENABLE),
					     MESSAGE_PAGE,
					     SET(SINT(2), INTID_B),
					     SET(CONFIG(0), AUTO | POST(2)),
					     SET(CONFIG(1), AUTO | POST(2)),
					     SET(COUNT(0), 1),
					     MESSAGE(2, 0),
					     FIRES(INTID_B, 1),
					     SET(COUNT(1), 1),
					     WAITING(2),
					     MIGRATE,
					     MESSAGE(2, 0),
					     SILENT(INTID_B, 50 * MS),
					     FREE(2),
					     SET(SC_REG_EOM, 0),
					     MESSAGE(2, 1),
					     FIRES(INTID_B, 1),
					     { .operation = STEP_END } };

	return trial_steps(trial, steps);
}

/* The second vCPU reads the time all through the migration that the first one asks for. */
struct watch {
	struct trial *trial;
	uint32_t over;
	uint32_t backwards;
	uint64_t latest;
};

static void watch_note(struct watch *watch, uint64_t seen, uint64_t now)
{
	if (now < seen)
		__atomic_store_n(&watch->backwards, 1, __ATOMIC_RELAXED);
	while (seen < now &&
	       !__atomic_compare_exchange_n(&watch->latest, &seen, now, false, __ATOMIC_RELEASE, __ATOMIC_ACQUIRE))
		;
}

static void watch_other(void *argument)
{
	struct watch *watch = argument;
	uint64_t seen;

	do {
		seen = __atomic_load_n(&watch->latest, __ATOMIC_ACQUIRE);
		watch_note(watch, seen, trial_now(watch->trial));
	} while (!__atomic_load_n(&watch->over, __ATOMIC_ACQUIRE));
}

static void watch_here(void *argument)
{
	struct watch *watch = argument;
	uint64_t seen;

	expect(watch->trial, port_migrate(), true);
	for (uint32_t i = 0; i < 200; i++) {
		seen = __atomic_load_n(&watch->latest, __ATOMIC_ACQUIRE);
		watch_note(watch, seen, trial_now(watch->trial));
	}
	__atomic_store_n(&watch->over, 1, __ATOMIC_RELEASE);
}

static bool vcpus(struct trial *trial)
{
	struct watch watch = { .trial = trial };

	return expect_true(trial, port_on_other(watch_other, watch_here, &watch), 0) && trial->passed &&
	       expect(trial, watch.backwards, 0);
}

static const struct conformance_case cases[] = {
	{ .name = "migration.oneshot",
	  .clause = "doc/design.md, migration",
	  .expects = "a one-shot timer fires once behind the migration, not early",
	  .needs = NEED_MIGRATION | NEED_DIRECT | NEED_PAGE,
	  STEPS(SET(CONFIG(0), AUTO | AIM(INTID_A)), ARM(0, 12 * SECOND), MIGRATE, FIRES(INTID_A, 1),
		NOT_EARLY(INTID_A), SILENT(INTID_A, 50 * MS)) },
	{ .name = "migration.registers",
	  .clause = "doc/design.md, migration",
	  .expects = "what was written before the migration reads back behind it",
	  .needs = NEED_MIGRATION | NEED_DIRECT | NEED_PAGE | NEED_CRASH,
	  STEPS(SET(SC_REG_GUEST_CRASH_P0, 0x1234), SET(CONFIG(2), AUTO | PERIODIC | AIM(INTID_B)), MIGRATE,
		GET(SC_REG_GUEST_OS_ID, OS_ID), GET(SC_REG_GUEST_CRASH_P0, 0x1234),
		GET(CONFIG(2), AUTO | PERIODIC | AIM(INTID_B)), GET(COUNT(2), 0)) },
	{ .name = "migration.clock",
	  .clause = "doc/design.md, migration",
	  .expects = "time goes on: not back, not far ahead, and page and register agree",
	  .needs = NEED_MIGRATION | NEED_PAGE,
	  .run = clock },
	{ .name = "migration.page-follows",
	  .clause = "doc/design.md, migration",
	  .expects = "the page has a new sequence and the scale of the new rate",
	  .needs = NEED_MIGRATION | NEED_PAGE,
	  .run = page_follows },
	{ .name = "migration.periodic",
	  .clause = "doc/design.md, migration",
	  .expects = "a periodic timer goes on: at most one interrupt for each period",
	  .needs = NEED_MIGRATION | NEED_PAGE | NEED_DIRECT,
	  .run = periodic },
	{ .name = "migration.vcpus",
	  .clause = "doc/design.md, migration",
	  .expects = "time never goes back across two vCPUs while the machine moves",
	  .needs = NEED_MIGRATION | NEED_PAGE | NEED_VCPUS,
	  .run = vcpus },
	{ .name = "migration.message",
	  .clause = "doc/design.md, migration",
	  .expects = "a message that waits for its slot comes behind the migration",
	  .needs = NEED_MIGRATION | NEED_PAGE | NEED_SYNIC,
	  .run = message },
};

const struct conformance_table conformance_migration = TABLE(cases);
