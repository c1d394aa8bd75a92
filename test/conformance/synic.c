/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Timer messages: the registers of the synthetic interrupt controller, slots, and what waits.
 *
 * Policy: the polled, masked and switched-off ways differ between implementations; those cases need Seaclock.
 */
#include "conformance.h"

static bool open_source(struct trial *trial)
{
	return trial_set(trial, SC_REG_SCONTROL, SC_SCONTROL_ENABLE) &&
	       trial_set(trial, SC_REG_SIMP, port_gpa(PAGE_MESSAGES) | SC_SIMP_ENABLE) &&
	       trial_set(trial, SINT(2), INTID_B);
}

static bool message_times(struct trial *trial)
{
	const struct step steps[] = { ARM(1, 20 * MS), MESSAGE(2, 1), { .operation = STEP_END } };

	return open_source(trial) && trial_set(trial, CONFIG(1), AUTO | POST(2)) && trial_steps(trial, steps) &&
	       expect(trial, trial_slot(2)->payload[1], trial->due) &&
	       expect_true(trial, trial_slot(2)->payload[2] <= trial_now(trial), trial_slot(2)->payload[2]);
}

static bool slot_foreign(struct trial *trial)
{
	static const struct step before[] = {
		ARM(1, 20 * MS), WAITING(2), SILENT(INTID_B, 50 * MS), { .operation = STEP_END }
	};
	static const struct step after[] = {
		FREE(2), SET(SC_REG_EOM, 0), MESSAGE(2, 1), FIRES(INTID_B, 1), { .operation = STEP_END }
	};

	trial_slot(2)->type = SC_MESSAGE_TIMER_EXPIRED;
	return open_source(trial) && trial_set(trial, CONFIG(1), AUTO | POST(2)) && trial_steps(trial, before) &&
	       expect(trial, trial_slot(2)->payload_size, 0) && trial_steps(trial, after);
}

static bool periodic_messages(struct trial *trial)
{
	static const struct step arrives[] = { MESSAGE(2, 1), { .operation = STEP_END } };
	static const struct step taken[] = { FREE(2), SET(SC_REG_EOM, 0), { .operation = STEP_END } };
	uint64_t last = 0, expired;

	if (!open_source(trial) || !trial_set(trial, CONFIG(1), AUTO | PERIODIC | POST(2)) ||
	    !trial_set(trial, COUNT(1), 20 * MS))
		return false;
	for (uint32_t i = 0; i < 5; i++) {
		if (!trial_steps(trial, arrives))
			return false;
		/* Before the slot is free: the next message may be in it at once. */
		expired = trial_slot(2)->payload[1];
		if (!expect_true(trial, expired > last, last) || !trial_steps(trial, taken))
			return false;
		last = expired;
	}
	return true;
}

/*
 * The slot stays busy for ten periods: the message that waits is that of the first expiry behind the delivery of the
 * message in the slot, which itself stands for all expiries until then.
 */
static bool periodic_oldest(struct trial *trial)
{
	static const struct step first[] = { MESSAGE(2, 1), WAITING(2), WAIT(SECOND), { .operation = STEP_END } };
	static const struct step second[] = { FREE(2), SET(SC_REG_EOM, 0), MESSAGE(2, 1), { .operation = STEP_END } };
	const uint64_t period = SECOND / 10, *payload = trial_slot(2)->payload;
	uint64_t expired, delivered;

	if (!open_source(trial) || !trial_set(trial, CONFIG(1), AUTO | PERIODIC | POST(2)) ||
	    !trial_set(trial, COUNT(1), period) || !trial_steps(trial, first))
		return false;
	expired = payload[1];
	delivered = payload[2];
	return trial_steps(trial, second) && expect(trial, (payload[1] - expired) % period, 0) &&
	       expect_true(trial, payload[1] > expired && payload[1] <= delivered + period, payload[1]);
}

static const struct conformance_case cases[] = {
	{ .name = "synic.version",
	  .clause = "TLFS synic",
	  .expects = "SVERSION is 1",
	  .needs = NEED_SYNIC,
	  STEPS(GET(SC_REG_SVERSION, SC_SVERSION_VALUE)) },
	{ .name = "synic.sint-kept",
	  .clause = "TLFS synic",
	  .expects = "a SINT reads back",
	  .needs = NEED_SYNIC,
	  STEPS(SET(SINT(3), INTID_C), GET(SINT(3), INTID_C), SET(SINT(3), SC_SINT_RESET)) },
	{ .name = "synic.scontrol-kept",
	  .clause = "TLFS synic",
	  .expects = "SCONTROL reads back",
	  .needs = NEED_SYNIC,
	  STEPS(SET(SC_REG_SCONTROL, SC_SCONTROL_ENABLE), GET(SC_REG_SCONTROL, SC_SCONTROL_ENABLE)) },
	{ .name = "synic.simp-kept",
	  .clause = "TLFS synic",
	  .expects = "SIMP reads back, preserved bits included",
	  .needs = NEED_SYNIC | NEED_SEACLOCK,
	  STEPS(SET(SC_REG_SIMP, 0x40200ffe), GET(SC_REG_SIMP, 0x40200ffe)) },
	{ .name = "synic.siefp-kept",
	  .clause = "TLFS synic",
	  .expects = "SIEFP reads back",
	  .needs = NEED_SYNIC,
	  STEPS(SET(SC_REG_SIEFP, 0x40201000), GET(SC_REG_SIEFP, 0x40201000), SET(SC_REG_SIEFP, 0)) },
	{ .name = "synic.eom",
	  .clause = "TLFS synic",
	  .expects = "EOM takes any value and reads 0",
	  .needs = NEED_SYNIC,
	  STEPS(SET(SC_REG_EOM, 0), SET(SC_REG_EOM, UINT64_MAX), GET(SC_REG_EOM, 0)) },
	{ .name = "synic.auto-eoi",
	  .clause = "TLFS synic",
	  .expects = "there is no automatic end of interrupt on arm64",
	  .needs = NEED_SYNIC | NEED_SEACLOCK,
	  STEPS(SET_FAILS(SINT(2), INTID_B | SC_SINT_AUTO_EOI, SC_HV_INVALID_PARAMETER), GET(SINT(2), SC_SINT_RESET)) },
	{ .name = "synic.sint-intid",
	  .clause = "doc/abi.md",
	  .expects = "a SINT with an interrupt that cannot be is refused",
	  .needs = NEED_SYNIC | NEED_SEACLOCK,
	  STEPS(SET_FAILS(SINT(2), 5, SC_HV_INVALID_PARAMETER), SET_FAILS(SINT(2), 32, SC_HV_INVALID_PARAMETER),
		SET_FAILS(SINT(2), 27, SC_HV_INVALID_PARAMETER)) },
	{ .name = "synic.message",
	  .clause = "TLFS synic",
	  .expects = "a timer posts one message and one interrupt",
	  .needs = NEED_SYNIC,
	  STEPS(SET(SC_REG_SCONTROL, SC_SCONTROL_ENABLE), MESSAGE_PAGE, SET(SINT(2), INTID_B),
		SET(CONFIG(1), AUTO | POST(2)), ARM(1, 20 * MS), MESSAGE(2, 1), FIRES(INTID_B, 1),
		NOT_EARLY(INTID_B)) },
	{ .name = "synic.message-times",
	  .clause = "TLFS synic",
	  .expects = "expiration is Count, delivery is not before it",
	  .needs = NEED_SYNIC,
	  .run = message_times },
	{ .name = "synic.message-sint-15",
	  .clause = "TLFS synic",
	  .expects = "the last source works as the others do",
	  .needs = NEED_SYNIC,
	  STEPS(SET(SC_REG_SCONTROL, SC_SCONTROL_ENABLE), MESSAGE_PAGE, SET(SINT(2), INTID_B), SET(SINT(15), INTID_C),
		SET(CONFIG(0), AUTO | POST(15)), ARM(0, 20 * MS), MESSAGE(15, 0), FIRES(INTID_C, 1),
		NO_MESSAGE(2, MS)) },
	{ .name = "synic.message-timer-3",
	  .clause = "TLFS synic",
	  .expects = "the message names its timer",
	  .needs = NEED_SYNIC,
	  STEPS(SET(SC_REG_SCONTROL, SC_SCONTROL_ENABLE), MESSAGE_PAGE, SET(SINT(2), INTID_B),
		SET(CONFIG(3), AUTO | POST(2)), ARM(3, 20 * MS), MESSAGE(2, 3)) },
	{ .name = "synic.message-other-vcpu",
	  .clause = "TLFS synic",
	  .expects = "messages of the second vCPU come there",
	  .needs = NEED_SYNIC | NEED_VCPUS,
	  .other_vcpu = true,
	  STEPS(SET(SC_REG_SCONTROL, SC_SCONTROL_ENABLE), MESSAGE_PAGE, SET(SINT(2), INTID_B),
		SET(CONFIG(1), AUTO | POST(2)), ARM(1, 20 * MS), MESSAGE(2, 1), FIRES(INTID_B, 1)) },
	{ .name = "synic.enable-clears",
	  .clause = "TLFS synic",
	  .expects = "enable clears when a one-shot timer has posted",
	  .needs = NEED_SYNIC,
	  STEPS(SET(SC_REG_SCONTROL, SC_SCONTROL_ENABLE), MESSAGE_PAGE, SET(SINT(2), INTID_B),
		SET(CONFIG(1), AUTO | POST(2)), ARM(1, MS), MESSAGE(2, 1), GET_BITS(CONFIG(1), ON, 0)) },
	{ .name = "synic.slot-busy",
	  .clause = "TLFS synic",
	  .expects = "a busy slot is not overwritten, and says that a message waits",
	  .needs = NEED_SYNIC,
	  STEPS(SET(SC_REG_SCONTROL, SC_SCONTROL_ENABLE), MESSAGE_PAGE, SET(SINT(2), INTID_B),
		SET(CONFIG(1), AUTO | POST(2)), SET(CONFIG(0), AUTO | POST(2)), SET(COUNT(0), 1), MESSAGE(2, 0),
		FIRES(INTID_B, 1), ARM(1, 20 * MS), WAITING(2), MESSAGE(2, 0), SILENT(INTID_B, 50 * MS)) },
	{ .name = "synic.slot-freed",
	  .clause = "TLFS synic",
	  .expects = "once the slot is free and EOM written, the message that waits comes",
	  .needs = NEED_SYNIC,
	  STEPS(SET(SC_REG_SCONTROL, SC_SCONTROL_ENABLE), MESSAGE_PAGE, SET(SINT(2), INTID_B),
		SET(CONFIG(1), AUTO | POST(2)), SET(CONFIG(0), AUTO | POST(2)), SET(COUNT(0), 1), MESSAGE(2, 0),
		FIRES(INTID_B, 1), ARM(1, 20 * MS), WAITING(2), FREE(2), SET(SC_REG_EOM, 0), MESSAGE(2, 1),
		FIRES(INTID_B, 1)) },
	{ .name = "synic.slot-foreign",
	  .clause = "TLFS synic",
	  .expects = "a slot that the guest itself has filled is busy as well",
	  .needs = NEED_SYNIC,
	  .run = slot_foreign },
	{ .name = "synic.queue-of-three",
	  .clause = "TLFS synic",
	  .expects = "each timer has a message of its own that waits",
	  .needs = NEED_SYNIC,
	  STEPS(SET(SC_REG_SCONTROL, SC_SCONTROL_ENABLE), MESSAGE_PAGE, SET(SINT(2), INTID_B),
		SET(CONFIG(0), AUTO | POST(2)), SET(CONFIG(1), AUTO | POST(2)), SET(CONFIG(2), AUTO | POST(2)),
		SET(CONFIG(3), AUTO | POST(2)), SET(COUNT(0), 1), MESSAGE(2, 0), SET(COUNT(1), 1), SET(COUNT(2), 1),
		SET(COUNT(3), 1), WAITING(2), TICKS(INTID_B, 1), FREE(2), SET(SC_REG_EOM, 0), TICKS(INTID_B, 1),
		FREE(2), SET(SC_REG_EOM, 0), TICKS(INTID_B, 1), FREE(2), SET(SC_REG_EOM, 0), TICKS(INTID_B, 1), FREE(2),
		SET(SC_REG_EOM, 0), NO_MESSAGE(2, 50 * MS), SILENT(INTID_B, MS)) },
	{ .name = "synic.polled",
	  .clause = "TLFS synic",
	  .expects = "a polled SINT gets the message and no interrupt",
	  .needs = NEED_SYNIC | NEED_POLLING,
	  STEPS(SET(SC_REG_SCONTROL, SC_SCONTROL_ENABLE), MESSAGE_PAGE, SET(SINT(2), INTID_B),
		SET(SINT(2), SC_SINT_POLLING | INTID_B), SET(CONFIG(1), AUTO | POST(2)), ARM(1, 20 * MS), MESSAGE(2, 1),
		SILENT(INTID_B, 50 * MS)) },
	{ .name = "synic.masked-waits",
	  .clause = "doc/abi.md; implementations differ",
	  .expects = "a masked SINT gets neither, and both once it is open",
	  .needs = NEED_SYNIC | NEED_SEACLOCK,
	  STEPS(SET(SC_REG_SCONTROL, SC_SCONTROL_ENABLE), MESSAGE_PAGE, SET(SINT(2), INTID_B),
		SET(SINT(2), SC_SINT_MASKED | INTID_B), SET(CONFIG(1), AUTO | POST(2)), ARM(1, 20 * MS),
		NO_MESSAGE(2, 100 * MS), SILENT(INTID_B, MS), SET(SINT(2), INTID_B), MESSAGE(2, 1),
		FIRES(INTID_B, 1)) },
	{ .name = "synic.simp-off-waits",
	  .clause = "doc/abi.md",
	  .expects = "without a message page a message waits for one",
	  .needs = NEED_SYNIC | NEED_SEACLOCK,
	  STEPS(SET(SC_REG_SCONTROL, SC_SCONTROL_ENABLE), MESSAGE_PAGE, SET(SINT(2), INTID_B), MESSAGE_PAGE_OFF,
		SET(CONFIG(1), AUTO | POST(2)), ARM(1, 20 * MS), NO_MESSAGE(2, 100 * MS), SILENT(INTID_B, MS),
		MESSAGE_PAGE, MESSAGE(2, 1), FIRES(INTID_B, 1)) },
	{ .name = "synic.scontrol-off-waits",
	  .clause = "doc/abi.md; implementations differ",
	  .expects = "with the controller off a message waits",
	  .needs = NEED_SYNIC | NEED_SEACLOCK,
	  STEPS(SET(SC_REG_SCONTROL, SC_SCONTROL_ENABLE), MESSAGE_PAGE, SET(SINT(2), INTID_B), SET(SC_REG_SCONTROL, 0),
		SET(CONFIG(1), AUTO | POST(2)), ARM(1, 20 * MS), NO_MESSAGE(2, 100 * MS), SILENT(INTID_B, MS),
		SET(SC_REG_SCONTROL, SC_SCONTROL_ENABLE), MESSAGE(2, 1), FIRES(INTID_B, 1)) },
	{ .name = "synic.periodic",
	  .clause = "TLFS synic",
	  .expects = "a periodic timer posts again and again",
	  .needs = NEED_SYNIC,
	  .run = periodic_messages },
	{ .name = "synic.periodic-busy",
	  .clause = "doc/abi.md",
	  .expects = "of a periodic timer with a busy slot one message waits",
	  .needs = NEED_SYNIC | NEED_SEACLOCK,
	  STEPS(SET(SC_REG_SCONTROL, SC_SCONTROL_ENABLE), MESSAGE_PAGE, SET(SINT(2), INTID_B),
		SET(CONFIG(1), AUTO | PERIODIC | POST(2)), SET(COUNT(1), 20 * MS), MESSAGE(2, 1), WAITING(2),
		WAIT(200 * MS), SET(CONFIG(1), AUTO | PERIODIC | POST(2)), FREE(2), SET(SC_REG_EOM, 0),
		NO_MESSAGE(2, 50 * MS)) },
	{ .name = "synic.periodic-oldest",
	  .clause = "doc/abi.md; implementations differ",
	  .expects = "the message that waits stands for the oldest expiry",
	  .needs = NEED_SYNIC | NEED_SEACLOCK,
	  .run = periodic_oldest },
	{ .name = "synic.two-sources",
	  .clause = "TLFS synic",
	  .expects = "timers with different sources use different slots",
	  .needs = NEED_SYNIC,
	  STEPS(SET(SC_REG_SCONTROL, SC_SCONTROL_ENABLE), MESSAGE_PAGE, SET(SINT(2), INTID_B), SET(SINT(3), INTID_C),
		SET(CONFIG(0), AUTO | POST(3)), SET(CONFIG(1), AUTO | POST(2)), ARM(0, 20 * MS), ARM(1, 20 * MS),
		MESSAGE(3, 0), MESSAGE(2, 1), FIRES(INTID_B, 1), FIRES(INTID_C, 1)) },
	{ .name = "synic.stopped",
	  .clause = "TLFS synic",
	  .expects = "a timer that was stopped leaves no message",
	  .needs = NEED_SYNIC,
	  STEPS(SET(SC_REG_SCONTROL, SC_SCONTROL_ENABLE), MESSAGE_PAGE, SET(SINT(2), INTID_B),
		SET(CONFIG(1), AUTO | POST(2)), ARM(1, SECOND / 2), SET(COUNT(1), 0), NO_MESSAGE(2, 600 * MS)) },
};

const struct conformance_table conformance_synic = TABLE(cases);
