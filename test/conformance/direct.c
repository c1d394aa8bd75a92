/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Synthetic timers in direct mode: when they fire, how often, and what stops them.
 *
 * Policy: upper bounds of time are generous; early, double and uninvited interrupts are not forgiven.
 */
#include "conformance.h"

#define PERIOD (20 * MS)

static bool start_periodic(struct trial *trial, uint64_t period)
{
	return trial_set(trial, CONFIG(0), AUTO | PERIODIC | AIM(INTID_A)) && trial_set(trial, COUNT(0), period);
}

static bool periodic_bounded(struct trial *trial)
{
	uint64_t before = trial_now(trial), periods, fired;
	uint32_t start = port_interrupts(INTID_A);

	if (!start_periodic(trial, PERIOD) || !port_wait(before + 30 * PERIOD))
		return expect(trial, 0, 1);
	fired = port_interrupts(INTID_A) - start;
	periods = (trial_now(trial) - before) / PERIOD;
	return expect_true(trial, fired >= 1 && fired <= periods, fired);
}

/* The handler of expiry k runs at or after start + k periods; here, k is what is left of the time since. */
static bool periodic_phase(struct trial *trial)
{
	uint64_t before = trial_now(trial), after, late, least = UINT64_MAX;
	uint32_t seen = port_interrupts(INTID_A);

	if (!start_periodic(trial, SECOND / 4))
		return false;
	after = trial_now(trial);
	for (uint32_t i = 0; i < 8; i++) {
		if (!port_wait(before + (i + 1) * (SECOND / 4) + SECOND / 8))
			return expect(trial, 0, 1);
		if (port_interrupts(INTID_A) == seen)
			continue;
		seen = port_interrupts(INTID_A);
		late = (port_interrupt_time(INTID_A) - before) % (SECOND / 4);
		/* A timer that starts each period when the last was served has drifted by then. */
		if (i >= 4)
			least = late < least ? late : least;
	}
	/* The best of them is late by no more than starting took, and what a busy machine adds. */
	return expect_true(trial, least <= after - before + SECOND / 16, least);
}

static bool masked_periodic(struct trial *trial)
{
	uint32_t start = port_interrupts(INTID_A), fired;

	port_mask(true);
	if (!start_periodic(trial, PERIOD) || !port_wait(trial_now(trial) + 20 * PERIOD))
		return expect(trial, 0, 1);
	if (!expect(trial, port_interrupts(INTID_A) - start, 0) || !trial_set(trial, COUNT(0), 0))
		return false;
	port_mask(false);
	if (!port_wait(trial_now(trial) + PERIOD))
		return expect(trial, 0, 1);
	fired = port_interrupts(INTID_A) - start;
	return expect_true(trial, fired <= 2, fired);
}

static bool rewriting_handler(struct trial *trial)
{
	static const struct step steps[] = { SET(SC_REG_GUEST_CLOCK, 0), { .operation = STEP_END } };
	uint32_t start = port_interrupts(INTID_A);

	/* Interrupts stay masked: what counts is that the line falls when the timer is written. */
	if (!trial_set(trial, SC_REG_GUEST_CLOCK, SC_GUEST_CLOCK_REWRITES_TIMER))
		return false;
	port_mask(true);
	if (!trial_set(trial, CONFIG(0), AUTO | AIM(INTID_A)) || !trial_set(trial, COUNT(0), 1) ||
	    !port_wait(trial_now(trial) + PERIOD) || !trial_set(trial, COUNT(0), UINT64_MAX))
		return expect(trial, 0, 1);
	port_mask(false);
	if (!port_wait(trial_now(trial) + PERIOD) || !expect_true(trial, port_interrupts(INTID_A) - start <= 1, 2))
		return false;
	return trial_steps(trial, steps);
}

static const struct conformance_case cases[] = {
	{ .name = "direct.oneshot",
	  .clause = "TLFS synthetic timers",
	  .expects = "a one-shot timer fires once, not early",
	  .needs = NEED_DIRECT,
	  STEPS(SET(CONFIG(0), AUTO | AIM(INTID_A)), ARM(0, 50 * MS), FIRES(INTID_A, 1), NOT_EARLY(INTID_A)) },
	{ .name = "direct.oneshot-config-last",
	  .clause = "TLFS synthetic timers",
	  .expects = "the same, enabled by Config behind Count",
	  .needs = NEED_DIRECT,
	  STEPS(SET(CONFIG(0), AIM(INTID_A)), ARM(0, 50 * MS), SET(CONFIG(0), ON | AIM(INTID_A)), FIRES(INTID_A, 1),
		NOT_EARLY(INTID_A)) },
	{ .name = "direct.oneshot-near",
	  .clause = "TLFS synthetic timers",
	  .expects = "one millisecond away",
	  .needs = NEED_DIRECT,
	  STEPS(SET(CONFIG(0), AUTO | AIM(INTID_A)), ARM(0, MS), FIRES(INTID_A, 1), NOT_EARLY(INTID_A)) },
	{ .name = "direct.oneshot-past",
	  .clause = "TLFS synthetic timers",
	  .expects = "a time that is past fires at once",
	  .needs = NEED_DIRECT,
	  STEPS(SET(CONFIG(0), AUTO | AIM(INTID_A)), SET(COUNT(0), 1), FIRES(INTID_A, 1)) },
	{ .name = "direct.oneshot-enable-clears",
	  .clause = "TLFS synthetic timers",
	  .expects = "enable clears by itself when a one-shot timer fires",
	  .needs = NEED_DIRECT,
	  STEPS(SET(CONFIG(0), AUTO | AIM(INTID_A)), ARM(0, MS), FIRES(INTID_A, 1), GET_BITS(CONFIG(0), ON, 0)) },
	{ .name = "direct.oneshot-count-stays",
	  .clause = "TLFS synthetic timers",
	  .expects = "Count keeps its value when the timer fires",
	  .needs = NEED_DIRECT,
	  STEPS(SET(CONFIG(0), AUTO | AIM(INTID_A)), SET(COUNT(0), 1), FIRES(INTID_A, 1), GET(COUNT(0), 1)) },
	{ .name = "direct.oneshot-again",
	  .clause = "TLFS synthetic timers",
	  .expects = "after it has fired, writing Count starts it again",
	  .needs = NEED_DIRECT,
	  STEPS(SET(CONFIG(0), AUTO | AIM(INTID_A)), ARM(0, MS), FIRES(INTID_A, 1), ARM(0, 50 * MS), FIRES(INTID_A, 1),
		NOT_EARLY(INTID_A)) },
	{ .name = "direct.oneshot-without-auto",
	  .clause = "TLFS synthetic timers",
	  .expects = "without auto-enable, writing Count after it has fired does nothing",
	  .needs = NEED_DIRECT,
	  STEPS(SET(CONFIG(0), AIM(INTID_A)), SET(COUNT(0), 1), SET(CONFIG(0), ON | AIM(INTID_A)), FIRES(INTID_A, 1),
		SET(COUNT(0), 1), SILENT(INTID_A, 50 * MS)) },
	{ .name = "direct.oneshot-distant",
	  .clause = "TLFS synthetic timers",
	  .expects = "a time that never comes does not fire",
	  .needs = NEED_DIRECT,
	  STEPS(SET(CONFIG(0), AUTO | AIM(INTID_A)), SET(COUNT(0), UINT64_MAX), SILENT(INTID_A, 50 * MS)) },
	{ .name = "direct.oneshot-distant-signed",
	  .clause = "doc/abi.md; implementations differ",
	  .expects = "the same in the middle of the range: times are unsigned",
	  .needs = NEED_DIRECT | NEED_SEACLOCK,
	  STEPS(SET(CONFIG(0), AUTO | AIM(INTID_A)), SET(COUNT(0), 1ull << 63), SILENT(INTID_A, 50 * MS)) },
	{ .name = "direct.rearm-later",
	  .clause = "TLFS synthetic timers",
	  .expects = "rewriting Count of a running timer moves it back",
	  .needs = NEED_DIRECT,
	  STEPS(SET(CONFIG(0), AUTO | AIM(INTID_A)), ARM(0, 500 * MS), ARM(0, 1500 * MS), FIRES(INTID_A, 1),
		NOT_EARLY(INTID_A)) },
	{ .name = "direct.rearm-sooner",
	  .clause = "TLFS synthetic timers",
	  .expects = "rewriting Count of a running timer brings it forward",
	  .needs = NEED_DIRECT,
	  STEPS(SET(CONFIG(0), AUTO | AIM(INTID_A)), ARM(0, 100 * SECOND), ARM(0, 50 * MS), FIRES(INTID_A, 1),
		NOT_EARLY(INTID_A)) },
	{ .name = "direct.stop-by-config",
	  .clause = "TLFS synthetic timers",
	  .expects = "Config 0 stops a running timer",
	  .needs = NEED_DIRECT,
	  STEPS(SET(CONFIG(0), AUTO | AIM(INTID_A)), ARM(0, 500 * MS), SET(CONFIG(0), 0), SILENT(INTID_A, 600 * MS)) },
	{ .name = "direct.restart-by-config",
	  .clause = "doc/abi.md",
	  .expects = "a running timer that is configured anew goes on with its Count",
	  .needs = NEED_DIRECT | NEED_SEACLOCK,
	  STEPS(SET(CONFIG(0), AUTO | AIM(INTID_A)), ARM(0, SECOND / 2), SET(CONFIG(0), ON | AUTO | AIM(INTID_B)),
		FIRES(INTID_B, 1), NOT_EARLY(INTID_B), SILENT(INTID_A, MS)) },
	{ .name = "direct.oneshot-other-vcpu",
	  .clause = "TLFS synthetic timers",
	  .expects = "a timer of the second vCPU fires there",
	  .needs = NEED_DIRECT | NEED_VCPUS,
	  .other_vcpu = true,
	  STEPS(SET(CONFIG(0), AUTO | AIM(INTID_A)), ARM(0, 50 * MS), FIRES(INTID_A, 1), NOT_EARLY(INTID_A)) },
	{ .name = "direct.timer-1",
	  .clause = "TLFS synthetic timers",
	  .expects = "timer 1 fires as timer 0 does",
	  .needs = NEED_DIRECT,
	  STEPS(SET(CONFIG(1), AUTO | AIM(INTID_B)), ARM(1, 20 * MS), FIRES(INTID_B, 1), NOT_EARLY(INTID_B)) },
	{ .name = "direct.timer-2",
	  .clause = "TLFS synthetic timers",
	  .expects = "timer 2 fires as timer 0 does",
	  .needs = NEED_DIRECT,
	  STEPS(SET(CONFIG(2), AUTO | AIM(INTID_C)), ARM(2, 20 * MS), FIRES(INTID_C, 1), NOT_EARLY(INTID_C)) },
	{ .name = "direct.timer-3",
	  .clause = "TLFS synthetic timers",
	  .expects = "timer 3 fires as timer 0 does",
	  .needs = NEED_DIRECT,
	  STEPS(SET(CONFIG(3), AUTO | AIM(INTID_D)), ARM(3, 20 * MS), FIRES(INTID_D, 1), NOT_EARLY(INTID_D)) },
	{ .name = "direct.all-four",
	  .clause = "TLFS synthetic timers",
	  .expects = "four timers fire once each",
	  .needs = NEED_DIRECT,
	  STEPS(SET(CONFIG(0), AUTO | AIM(INTID_A)), SET(CONFIG(1), AUTO | AIM(INTID_B)),
		SET(CONFIG(2), AUTO | AIM(INTID_C)), SET(CONFIG(3), AUTO | AIM(INTID_D)), ARM(3, 20 * MS),
		ARM(2, 30 * MS), ARM(1, 40 * MS), ARM(0, 50 * MS), FIRES(INTID_A, 1), FIRES(INTID_B, 1),
		FIRES(INTID_C, 1), FIRES(INTID_D, 1)) },
	{ .name = "direct.periodic",
	  .clause = "TLFS synthetic timers",
	  .expects = "a periodic timer fires again and again",
	  .needs = NEED_DIRECT,
	  STEPS(SET(CONFIG(0), AUTO | PERIODIC | AIM(INTID_A)), SET(COUNT(0), 20 * MS), TICKS(INTID_A, 5),
		GET_BITS(CONFIG(0), ON, ON), GET(COUNT(0), 20 * MS)) },
	{ .name = "direct.periodic-first",
	  .clause = "TLFS synthetic timers",
	  .expects = "its first period starts when it is enabled",
	  .needs = NEED_DIRECT,
	  STEPS(SET(CONFIG(0), AUTO | PERIODIC | AIM(INTID_A)), SET(COUNT(0), SECOND), SILENT(INTID_A, 500 * MS),
		TICKS(INTID_A, 1)) },
	{ .name = "direct.periodic-config-last",
	  .clause = "TLFS synthetic timers",
	  .expects = "the same, enabled by Config behind Count",
	  .needs = NEED_DIRECT,
	  STEPS(SET(CONFIG(0), PERIODIC | AIM(INTID_A)), SET(COUNT(0), 20 * MS),
		SET(CONFIG(0), ON | PERIODIC | AIM(INTID_A)), TICKS(INTID_A, 3)) },
	{ .name = "direct.periodic-stop",
	  .clause = "TLFS synthetic timers",
	  .expects = "Count 0 stops it",
	  .needs = NEED_DIRECT,
	  STEPS(SET(CONFIG(0), AUTO | PERIODIC | AIM(INTID_A)), SET(COUNT(0), 200 * MS), TICKS(INTID_A, 1),
		SET(COUNT(0), 0), TICKS(INTID_A, 0), SILENT(INTID_A, 600 * MS)) },
	{ .name = "direct.periodic-lazy",
	  .clause = "TLFS synthetic timers; what firmware writes",
	  .expects = "a lazy periodic timer fires again and again",
	  .needs = NEED_DIRECT,
	  STEPS(SET(COUNT(0), 0), SET(CONFIG(0), AUTO | PERIODIC | SC_STIMER_LAZY | AIM(17)), SET(COUNT(0), 10 * MS),
		TICKS(17, 5)) },
	{ .name = "direct.periodic-long",
	  .clause = "TLFS synthetic timers",
	  .expects = "a period that never ends does not fire",
	  .needs = NEED_DIRECT,
	  STEPS(SET(CONFIG(0), AUTO | PERIODIC | AIM(INTID_A)), SET(COUNT(0), UINT64_MAX), SILENT(INTID_A, 50 * MS)) },
	{ .name = "direct.periodic-bounded",
	  .clause = "TLFS synthetic timers",
	  .expects = "interrupts never exceed the periods that have passed",
	  .needs = NEED_DIRECT,
	  .run = periodic_bounded },
	{ .name = "direct.periodic-phase",
	  .clause = "doc/abi.md; implementations differ",
	  .expects = "each expiry lies behind a whole number of periods",
	  .needs = NEED_DIRECT | NEED_SEACLOCK,
	  .run = periodic_phase },
	{ .name = "direct.edge",
	  .clause = "TLFS synthetic timers, direct mode",
	  .expects = "one expiry is one interrupt, also if the handler rewrites nothing",
	  .needs = NEED_DIRECT,
	  STEPS(SET(CONFIG(0), AUTO | AIM(INTID_A)), ARM(0, 20 * MS), FIRES(INTID_A, 1), SILENT(INTID_A, 200 * MS)) },
	{ .name = "direct.masked",
	  .clause = "TLFS synthetic timers, direct mode",
	  .expects = "an expiry with interrupts masked comes once they are not",
	  .needs = NEED_DIRECT,
	  STEPS(SET(CONFIG(0), AUTO | AIM(INTID_A)), MASK, ARM(0, 20 * MS), SILENT(INTID_A, 200 * MS), UNMASK,
		FIRES(INTID_A, 1)) },
	{ .name = "direct.masked-periodic",
	  .clause = "doc/abi.md",
	  .expects = "many expiries with interrupts masked are one or two interrupts",
	  .needs = NEED_DIRECT,
	  .run = masked_periodic },
	{ .name = "direct.without-synic",
	  .clause = "TLFS synthetic timers",
	  .expects = "direct mode needs no SynIC",
	  .needs = NEED_DIRECT | NEED_SYNIC,
	  STEPS(SET(SC_REG_SCONTROL, 0), SET(SC_REG_SIMP, 0), SET(CONFIG(0), AUTO | AIM(INTID_A)), ARM(0, 20 * MS),
		FIRES(INTID_A, 1)) },
	{ .name = "direct.no-message",
	  .clause = "TLFS synthetic timers",
	  .expects = "direct mode posts no message",
	  .needs = NEED_DIRECT | NEED_SYNIC,
	  STEPS(SET(SC_REG_SCONTROL, SC_SCONTROL_ENABLE), SET(SINT(2), INTID_B), SET(CONFIG(0), AUTO | AIM(INTID_A)),
		ARM(0, 20 * MS), FIRES(INTID_A, 1), NO_MESSAGE(0, MS), NO_MESSAGE(2, MS)) },
	{ .name = "direct.linux",
	  .clause = "TLFS synthetic timers; what Linux writes",
	  .expects = "what Linux writes: enabled without Count, armed, re-armed, shut down",
	  .needs = NEED_DIRECT,
	  STEPS(SET(CONFIG(0), ON | AUTO | AIM(INTID_A)), ARM(0, 20 * MS), FIRES(INTID_A, 1), ARM(0, 20 * MS),
		FIRES(INTID_A, 1), SET(COUNT(0), 0), SET(CONFIG(0), 0), SILENT(INTID_A, 20 * MS)) },
	{ .name = "direct.rewriting-handler",
	  .clause = "doc/abi.md",
	  .expects = "a guest whose handler rewrites the timer may say so, and gets one interrupt an expiry",
	  .needs = NEED_DIRECT | NEED_SEACLOCK,
	  .run = rewriting_handler },
};

const struct conformance_table conformance_direct = TABLE(cases);
