/* SPDX-License-Identifier: BSD-2-Clause */
/* The simulated machine: see the header. */
#include "sim_machine.h"

#include <seaclock/core.h>

#include <string.h>

#define VCPUS 2u

/* A wake-up comes this much too early, besides. */
#define EARLY 1u

/* Long enough that no wait takes a time for a distance. */
#define UPTIME (100 * SECOND)

static struct sim_machine sim;
static struct sc_partition partition;
static struct sc_message pages[PAGES][SC_HV_PAGE_SIZE / sizeof(struct sc_message)] __attribute__((aligned(4096)));
static sc_ticks_t counter;
static uint32_t vp;

/* What the interrupt controller and the handlers of a vCPU have: a latch each, and what came. */
static struct line {
	bool latched;
	uint32_t count;
	uint64_t time;
} lines[VCPUS][32];
static bool masked[VCPUS];

/* Messages that found no place: not tried again before the guest has written to its SynIC. */
static bool blocked[VCPUS][SC_STIMER_COUNT];

void *port_memory(enum port_page page)
{
	return pages[page];
}

uint64_t port_gpa(enum port_page page)
{
	return (uintptr_t)pages[page];
}

uint64_t port_gpa_nowhere(void)
{
	return 0x1000;
}

uint64_t port_counter(void)
{
	return counter.v++;
}

uint64_t port_counter_hz(void)
{
	return partition.clock.hz;
}

uint32_t port_vcpu(void)
{
	return vp;
}

uint32_t port_vcpus(void)
{
	return VCPUS;
}

uint32_t port_interrupts(uint32_t intid)
{
	return lines[vp][intid].count;
}

uint64_t port_interrupt_time(uint32_t intid)
{
	return lines[vp][intid].time;
}

static bool is_memory(uint64_t gpa, size_t size)
{
	return gpa >= (uintptr_t)pages && gpa + size <= (uintptr_t)pages + sizeof(pages);
}

/* ---- Interrupts and messages ---- */

/* A level: held by a timer until it is written. */
static bool line_is_high(uint32_t of, uint32_t intid)
{
	for (uint32_t n = 0; n < SC_STIMER_COUNT; n++) {
		const struct sc_stimer *timer = &partition.vcpu[of].timer[n];

		if (timer->asserted && sc_stimer_intid(timer) == intid)
			return true;
	}
	return false;
}

static void interrupts_take(uint32_t of)
{
	for (uint32_t i = 0; i < 32; i++) {
		struct line *line = &lines[of][i];

		if (masked[of] || (!line->latched && !line_is_high(of, i)))
			continue;
		line->latched = false;
		line->time = sc_clock_read(&partition.clock, counter).v;
		line->count++;
	}
}

static bool message_deliver(const struct sc_delivery *delivery)
{
	struct sc_message message, *slot;

	if (!is_memory(delivery->slot_gpa, sizeof(*slot)))
		return false;
	slot = &pages[0][0] + (delivery->slot_gpa - (uintptr_t)pages) / sizeof(*slot);
	if (!sc_message_slot_free(slot))
		return false;
	sc_message_fill(&message, &partition, delivery, sc_clock_read(&partition.clock, counter));
	sc_message_place(slot, &message);
	return true;
}

static void deliver(void)
{
	struct sc_delivery delivery;
	uint32_t cursor = 0;

	sc_partition_expire(&partition, counter);
	while (sc_partition_pending(&partition, &cursor, &delivery)) {
		bool level = !delivery.message && partition.guest_clock & SC_GUEST_CLOCK_REWRITES_TIMER;

		if (delivery.message && blocked[delivery.vp][delivery.timer])
			continue;
		blocked[delivery.vp][delivery.timer] = delivery.message && !message_deliver(&delivery);
		if (blocked[delivery.vp][delivery.timer])
			continue;
		if (delivery.interrupt && !level)
			lines[delivery.vp][delivery.intid].latched = true;
		sc_stimer_delivered(&partition.vcpu[delivery.vp].timer[delivery.timer], level);
	}
	for (uint32_t of = 0; of < VCPUS; of++)
		interrupts_take(of);
}

void port_mask(bool mask)
{
	masked[vp] = mask;
	interrupts_take(vp);
}

/* ---- Time ---- */

/* The counter moves on until reference time is `until`, and no further. */
static void counter_reach(uint64_t until)
{
	uint64_t now;

	while ((now = sc_clock_read(&partition.clock, counter).v) < until) {
		uint64_t ticks = sc_muldiv(until - now, partition.clock.hz, SC_REF_HZ);

		counter.v += ticks > 1 ? ticks - 1 : 1;
	}
}

bool port_wait(uint64_t until)
{
	sc_ref_t deadline;

	while (sc_partition_deadline(&partition, &deadline) && deadline.v < until) {
		counter_reach(deadline.v - EARLY);
		deliver();
		counter_reach(until - deadline.v < sim.late ? until : deadline.v + sim.late);
		deliver();
	}
	counter_reach(until);
	deliver();
	return true;
}

static void page_update(void)
{
	uint64_t gpa = partition.reference_tsc & SC_REFERENCE_TSC_GPA_MASK;

	if (!(partition.reference_tsc & SC_REFERENCE_TSC_ENABLE) || !is_memory(gpa, SC_HV_PAGE_SIZE))
		return;
	sc_page_write((struct sc_reference_tsc_page *)((uint8_t *)pages + (gpa - (uintptr_t)pages)), &partition.clock,
		      partition.page_sequence);
}

/* The machine stops, and goes on later at the other rate. */
bool port_migrate(void)
{
	struct sc_stop_point stop = sc_partition_stop(&partition, counter);
	uint32_t hz = partition.clock.hz == sim.hz ? sim.other_hz : sim.hz;

	if (sc_partition_resume(&partition, &stop, hz, sim.policy, sim.gap, &counter))
		return false;
	page_update();
	deliver();
	return true;
}

void port_case_begin(uint64_t limit_us)
{
	(void)limit_us;
}

bool port_on_other(void (*work)(void *argument), void (*work_here)(void *argument), void *argument)
{
	/* One after the other, so that a wait for the other vCPU ends at once. */
	if (work_here)
		work_here(argument);
	vp = 1;
	work(argument);
	vp = 0;
	return true;
}

/* ---- Calls ---- */

/* X0..X17 as they are at the HVC. */
static void registers_load(const struct port_call *call, uint64_t x[18])
{
	uint32_t first = call->convention == SC_GUEST_SMCCC ? 2 : 1;

	x[0] = call->convention == SC_GUEST_SMCCC ? SC_HVC_FUNCTION_ID : call->control;
	x[1] = call->control;
	x[17] = 0;
	memcpy(&x[first], call->block, sizeof(call->block));
}

static uint64_t call_run(const struct sc_call *call, uint64_t x[18])
{
	uint64_t input[SC_CALL_PAGE_MAX / 8], output[SC_CALL_PAGE_MAX / 8];
	struct sc_call_outcome outcome;

	if (call->fast)
		memcpy(input, &x[sc_call_input_register(call)], call->input_size);
	else if (is_memory(call->input_gpa, call->input_size) &&
		 (!call->output_size || is_memory(call->output_gpa, call->output_size)))
		memcpy(input, (uint8_t *)pages + (call->input_gpa - (uintptr_t)pages), call->input_size);
	else
		return SC_HV_INVALID_PARAMETER;
	sc_call_run(&partition, vp, call, input, output, counter, &outcome);
	if (call->fast)
		memcpy(&x[sc_call_output_register(call)], output, outcome.output_size);
	else if (outcome.output_size)
		memcpy((uint8_t *)pages + (call->output_gpa - (uintptr_t)pages), output, outcome.output_size);
	if (outcome.effects & SC_EFFECT_SYNIC)
		memset(blocked[vp], 0, sizeof(blocked[vp]));
	if (outcome.effects & SC_EFFECT_PAGE)
		page_update();
	return outcome.result;
}

void port_call(struct port_call *call)
{
	struct sc_call decoded;
	uint64_t x[18];

	counter.v += sim.call_ticks;
	deliver();
	registers_load(call, x);
	call->result = sc_call_decode_registers(x, &decoded);
	if (call->result == SC_HV_SUCCESS)
		call->result = call_run(&decoded, x);
	memcpy(call->block, &x[call->convention == SC_GUEST_SMCCC ? 2 : 1], sizeof(call->block));
	deliver();
}

bool sim_machine_begin(const struct sim_machine *machine)
{
	sim = *machine;
	counter = machine->start;
	vp = 0;
	memset(lines, 0, sizeof(lines));
	memset(masked, 0, sizeof(masked));
	memset(blocked, 0, sizeof(blocked));
	memset(pages, 0, sizeof(pages));
	if (sc_partition_init(&partition, VCPUS, machine->hz, counter))
		return false;
	counter_reach(UPTIME);
	return true;
}
