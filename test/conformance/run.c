/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Runs cases: what the machine offers, the state that each case starts from, and the scripts.
 *
 * Policy: interrupts and messages may come late on a busy machine, so waiting is generous; they may never come early,
 * twice or uninvited.
 */
#include "conformance.h"

#define CASE_LIMIT_US 60000000u
#define MIGRATION_LIMIT_US 180000000u

static const struct conformance_table *const tables[] = { &conformance_reset,  &conformance_registers,
							  &conformance_calls,  &conformance_clock,
							  &conformance_stimer, &conformance_direct,
							  &conformance_synic,  &conformance_migration };

void conformance_each(void (*visit)(const struct conformance_case *test, void *argument), void *argument)
{
	for (uint32_t t = 0; t < sizeof(tables) / sizeof(tables[0]); t++)
		for (uint32_t i = 0; i < tables[t]->count; i++)
			visit(&tables[t]->cases[i], argument);
}

static bool in_table(const struct conformance_table *table, const struct conformance_case *test)
{
	return test >= table->cases && test < table->cases + table->count;
}

bool conformance_is_call(const struct conformance_case *test)
{
	return in_table(&conformance_calls, test) || in_table(&conformance_registers, test);
}

bool expect(struct trial *trial, uint64_t seen, uint64_t expected)
{
	if (seen == expected)
		return true;
	trial->seen = seen;
	trial->expected = expected;
	trial->passed = false;
	return false;
}

bool expect_true(struct trial *trial, bool condition, uint64_t seen)
{
	return condition || expect(trial, seen, ~seen);
}

/* ---- Registers ---- */

/* One register by a fast call; the result word. */
static uint64_t access_wide(enum sc_guest_convention convention, bool set, uint32_t name, uint64_t value[2])
{
	uint32_t output = convention == SC_GUEST_SMCCC ? 4 : SC_GUEST_BLOCK - 2;
	struct port_call call = { .convention = convention, .control = set ? SC_CALL_SET_ONE : SC_CALL_GET_ONE };

	call.block[0] = SC_PARTITION_ID_SELF;
	call.block[1] = SC_VP_INDEX_SELF;
	call.block[2] = name;
	call.block[4] = set ? value[0] : 0;
	port_call(&call);
	if (!set) {
		value[0] = call.block[output];
		value[1] = call.block[output + 1];
	}
	return call.result;
}

static uint64_t access(const struct trial *trial, bool set, uint32_t name, uint64_t *value)
{
	uint64_t wide[2] = { *value };
	uint64_t result = access_wide(trial->convention, set, name, wide);

	*value = wide[0];
	return result;
}

bool trial_set(struct trial *trial, uint32_t name, uint64_t value)
{
	return expect(trial, access(trial, true, name, &value) & SC_RESULT_STATUS_MASK, SC_HV_SUCCESS);
}

uint64_t trial_get(struct trial *trial, uint32_t name)
{
	uint64_t value = 0;

	return access(trial, false, name, &value) & SC_RESULT_STATUS_MASK ? UINT64_MAX : value;
}

uint64_t trial_now(const struct trial *trial)
{
	uint64_t now = 0;

	(void)access(trial, false, SC_REG_TIME_REF_COUNT, &now);
	return now;
}

struct sc_message *trial_slot(uint32_t sint)
{
	return (struct sc_message *)port_memory(PAGE_MESSAGES) + sint;
}

/* ---- Steps ---- */

static bool step_set(struct trial *trial, const struct step *step)
{
	uint64_t value = step->value;

	return expect(trial, access(trial, true, step->index, &value) & SC_RESULT_STATUS_MASK, step->status);
}

static bool step_get(struct trial *trial, const struct step *step)
{
	uint64_t value = 0;

	if (!expect(trial, access(trial, false, step->index, &value) & SC_RESULT_STATUS_MASK, step->status))
		return false;
	return step->status || expect(trial, value & step->mask, step->value & step->mask);
}

static bool step_arm(struct trial *trial, const struct step *step)
{
	trial->due = trial_now(trial) + step->value;
	return trial_set(trial, COUNT(step->index), trial->due);
}

/* Interrupts that no step has accounted for. */
static uint32_t interrupts_new(const struct trial *trial, uint32_t intid)
{
	return port_interrupts(intid) - trial->interrupts[intid];
}

static bool step_fires(struct trial *trial, const struct step *step, bool exactly)
{
	uint64_t now = trial_now(trial), end = now + STEP_LIMIT;
	uint32_t fired;

	while (interrupts_new(trial, step->index) < step->value && now < end && port_wait(now + MS))
		now = trial_now(trial);
	if (exactly && !port_wait(trial_now(trial) + STEP_SETTLE))
		return expect(trial, 0, 1);
	fired = interrupts_new(trial, step->index);
	trial->interrupts[step->index] += fired;
	return exactly ? expect(trial, fired, step->value) : expect_true(trial, fired >= step->value, fired);
}

static bool step_silent(struct trial *trial, const struct step *step)
{
	if (!port_wait(trial_now(trial) + step->value))
		return expect(trial, 0, 1);
	return expect(trial, interrupts_new(trial, step->index), 0);
}

static uint64_t shape_name(const struct shape *shape)
{
	return shape->name ? shape->name : SC_REG_TIME_REF_COUNT;
}

static void shape_header(const struct shape *shape, uint64_t to[4])
{
	to[0] = SC_PARTITION_ID_SELF ^ shape->partition;
	to[1] = (SC_VP_INDEX_SELF ^ shape->vp) | (uint64_t)shape->vtl << 32;
	to[2] = shape_name(shape) | shape_name(shape) << 32;
	to[3] = to[2];
}

static bool step_call(struct trial *trial, const struct step *step)
{
	const struct shape *shape = step->shape;
	struct port_call call = { .convention = trial->convention,
				  .control = shape->control ? shape->control : SC_CALL_GET_ONE };
	uint64_t input[4];

	shape_header(shape, input);
	for (uint32_t i = 0; i < 4; i++)
		call.block[i] = input[i];
	if (shape->memory) {
		if (shape->input_at % 8 == 0 && shape->input_at + sizeof(input) <= 2 * SC_HV_PAGE_SIZE)
			for (uint32_t i = 0; i < 4; i++)
				((uint64_t *)port_memory(PAGE_INPUT))[shape->input_at / 8 + i] = input[i];
		call.block[0] = shape->input_nowhere ? port_gpa_nowhere() : port_gpa(PAGE_INPUT) + shape->input_at;
		call.block[1] = shape->output_nowhere
					? port_gpa_nowhere()
					: port_gpa(shape->overlap ? PAGE_INPUT : PAGE_OUTPUT) + shape->output_at;
	}
	port_call(&call);
	return expect(trial, call.result & SC_RESULT_STATUS_MASK, step->status);
}

static bool message_there(uint32_t sint)
{
	return __atomic_load_n(&trial_slot(sint)->type, __ATOMIC_ACQUIRE) != SC_MESSAGE_NONE;
}

static bool message_waiting(uint32_t sint)
{
	return __atomic_load_n(&trial_slot(sint)->flags, __ATOMIC_ACQUIRE) & SC_MESSAGE_PENDING;
}

static bool wait_for(struct trial *trial, uint32_t sint, bool (*seen)(uint32_t sint))
{
	uint64_t now = trial_now(trial), end = now + STEP_LIMIT;

	while (!seen(sint) && now < end && port_wait(now + MS))
		now = trial_now(trial);
	return expect_true(trial, seen(sint), 0);
}

static bool step_message(struct trial *trial, const struct step *step)
{
	const struct sc_message *slot = trial_slot(step->index);

	if (!wait_for(trial, step->index, message_there))
		return false;
	return expect(trial, slot->type, SC_MESSAGE_TIMER_EXPIRED) &&
	       expect(trial, slot->payload_size, sizeof(struct sc_timer_message)) &&
	       expect(trial, slot->origination, 0) && expect(trial, slot->payload[0], step->value) &&
	       expect_true(trial, slot->payload[2] >= slot->payload[1], slot->payload[2]);
}

static bool step_no_message(struct trial *trial, const struct step *step)
{
	if (!port_wait(trial_now(trial) + step->value))
		return expect(trial, 0, 1);
	return expect_true(trial, !message_there(step->index), 1);
}

static bool step_free(const struct step *step)
{
	__atomic_store_n(&trial_slot(step->index)->type, SC_MESSAGE_NONE, __ATOMIC_SEQ_CST);
	return true;
}

static bool step_mask(const struct step *step)
{
	port_mask(step->value);
	return true;
}

static bool step_run(struct trial *trial, const struct step *step)
{
	switch (step->operation) {
	case STEP_SET:
		return step_set(trial, step);
	case STEP_GET:
		return step_get(trial, step);
	case STEP_ARM:
		return step_arm(trial, step);
	case STEP_WAIT:
		return expect(trial, port_wait(trial_now(trial) + step->value), true);
	case STEP_FIRES:
		return step_fires(trial, step, true);
	case STEP_TICKS:
		return step_fires(trial, step, false);
	case STEP_SILENT:
		return step_silent(trial, step);
	case STEP_NOT_EARLY:
		return expect_true(trial, port_interrupt_time(step->index) >= trial->due,
				   port_interrupt_time(step->index));
	case STEP_MASK:
		return step_mask(step);
	case STEP_CALL:
		return step_call(trial, step);
	case STEP_MESSAGE:
		return step_message(trial, step);
	case STEP_NO_MESSAGE:
		return step_no_message(trial, step);
	case STEP_WAITING:
		return wait_for(trial, step->index, message_waiting);
	case STEP_FREE:
		return step_free(step);
	case STEP_SIMP:
		return trial_set(trial, SC_REG_SIMP, port_gpa(PAGE_MESSAGES) | step->value);
	case STEP_MIGRATE:
		return expect(trial, port_migrate(), true);
	default:
		return false;
	}
}

bool trial_steps(struct trial *trial, const struct step *steps)
{
	for (trial->step = 0; steps->operation != STEP_END; steps++, trial->step++)
		if (!step_run(trial, steps))
			return false;
	return true;
}

/* ---- Cases ---- */

/* Everything of the calling vCPU as after a reset. What is not offered may refuse: that is no matter here. */
static void clear_vcpu(const struct trial *trial, uint32_t offers)
{
	uint64_t zero = 0, masked = SC_SINT_RESET;

	for (uint32_t n = 0; n < SC_STIMER_COUNT; n++) {
		(void)access(trial, true, COUNT(n), &zero);
		(void)access(trial, true, CONFIG(n), &zero);
	}
	if (!(offers & NEED_SYNIC))
		return;
	(void)access(trial, true, SC_REG_SCONTROL, &zero);
	(void)access(trial, true, SC_REG_SIMP, &zero);
	for (uint32_t n = 0; n < SC_SINT_COUNT; n++)
		(void)access(trial, true, SINT(n), &masked);
}

static void memory_clear(void)
{
	volatile uint64_t *word = port_memory(PAGE_CLOCK_MOVED);

	for (uint32_t i = 0; i < (PAGES - PAGE_CLOCK_MOVED) * SC_HV_PAGE_SIZE / sizeof(*word); i++)
		word[i] = 0;
}

static void begin(struct trial *trial, uint32_t offers)
{
	uint64_t os_id = OS_ID, page = port_gpa(PAGE_CLOCK) | SC_REFERENCE_TSC_ENABLE;

	if (trial->test->untouched)
		return;
	(void)access(trial, true, SC_REG_GUEST_OS_ID, &os_id);
	if (offers & NEED_PAGE)
		(void)access(trial, true, SC_REG_REFERENCE_TSC, &page);
	port_mask(false);
	clear_vcpu(trial, offers);
	(void)port_wait(trial_now(trial) + MS); /* interrupts of the case before come now or never */
	for (uint32_t i = 0; i < 32; i++)
		trial->interrupts[i] = port_interrupts(i);
}

struct run {
	struct trial *trial;
	uint32_t offers;
};

static void run_here(void *argument)
{
	struct run *run = argument;
	struct trial *trial = run->trial;
	uint64_t os_id = OS_ID;

	begin(trial, run->offers);
	if (!(trial->test->steps ? trial_steps(trial, trial->test->steps) : trial->test->run(trial)))
		trial->passed = false;
	if (trial->test->untouched)
		return;
	port_mask(false);
	(void)access(trial, true, SC_REG_GUEST_OS_ID, &os_id);
	clear_vcpu(trial, run->offers);
}

enum conformance_result conformance_run(struct trial *trial, enum sc_guest_convention convention,
					const struct conformance_case *test, uint32_t offers)
{
	struct run run = { trial, offers };

	*trial = (struct trial){ .test = test, .convention = convention, .passed = true };
	if ((test->needs | NEED_CALLS) & ~offers)
		return CONFORMANCE_SKIP;
	port_case_begin(test->needs & NEED_MIGRATION ? MIGRATION_LIMIT_US : CASE_LIMIT_US);
	memory_clear();
	if (!test->other_vcpu)
		run_here(&run);
	else if (!port_on_other(run_here, NULL, &run))
		trial->passed = false;
	return trial->passed ? CONFORMANCE_PASS : CONFORMANCE_FAIL;
}

static uint32_t offers_of(uint64_t privileges, uint64_t features, bool interrupts)
{
	uint32_t offers = NEED_CALLS;

	offers |= privileges & SC_PRIVILEGE_REFERENCE_COUNTER ? NEED_CLOCK : 0;
	offers |= privileges & SC_PRIVILEGE_REFERENCE_TSC && port_counter_hz() > SC_REF_HZ ? NEED_PAGE : 0;
	offers |= features & SC_FEATURE_SINT_POLLING ? NEED_POLLING : 0;
	offers |= features & SC_FEATURE_CRASH_REGISTERS ? NEED_CRASH : 0;
	if (!(privileges & SC_PRIVILEGE_SYNTHETIC_TIMERS) || !interrupts)
		return offers;
	offers |= features & SC_FEATURE_DIRECT_TIMERS ? NEED_DIRECT : 0;
	offers |= privileges & SC_PRIVILEGE_SYNIC ? NEED_SYNIC : 0;
	return offers;
}

uint32_t conformance_offers(enum sc_guest_convention convention, bool interrupts, bool migrations)
{
	uint64_t words[2] = { 0 }, own[2] = { 0 };
	uint32_t offers;

	if (access_wide(convention, false, SC_REG_PRIVILEGES_AND_FEATURES, words) != 1ull << SC_RESULT_REPS_SHIFT)
		return 0;
	offers = offers_of(words[0], words[1], interrupts);
	offers |= port_vcpus() > 1 ? NEED_VCPUS : 0;
	offers |= migrations ? NEED_MIGRATION : 0;
	(void)access_wide(convention, false, SC_REG_SEACLOCK, own);
	return offers | (own[0] == SC_SEACLOCK_MAGIC ? NEED_SEACLOCK : 0);
}
