/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Any guest: hypercalls in both conventions and forms, messages read and left, time that passes, machines that move.
 * The core and a model that knows only the documents must agree on every register, every byte of memory and every
 * interrupt.
 *
 * Policy: the bytes are a list of steps. Two copies of the guest's registers and memory, one for each side, are
 * compared after each step; reference time comes from the core, and is held against an exact clock first.
 */
#include "fuzz.h"
#include "model/model.h"

#include <seaclock/core.h>

#include <string.h>

/* Exact time has this many bits below a unit. */
#define FRACTION 32

struct world {
	const uint8_t *bytes;
	size_t left;
	struct sc_partition partition;
	struct model model;
	uint8_t memory[MODEL_MEMORY];
	uint32_t latched[MODEL_VCPUS]; /* interrupts that the guest has not taken */
	uint32_t active[MODEL_VCPUS];
	uint64_t counter;
	uint64_t last; /* reference time seen last */
	/* The exact clock: it was `exact` when the counter read `since`. */
	unsigned __int128 exact;
	uint64_t since;
	uint32_t rebases;
};

static uint64_t take(struct world *world, size_t bytes)
{
	uint64_t value = 0;

	bytes = bytes < world->left ? bytes : world->left;
	memcpy(&value, world->bytes, bytes);
	world->bytes += bytes;
	world->left -= bytes;
	return value;
}

/* ---- Time ---- */

static unsigned __int128 exact_time(const struct world *world)
{
	uint64_t passed = world->counter - world->since;

	return world->exact + (((unsigned __int128)passed * 10000000) << FRACTION) / world->partition.clock.hz;
}

static uint64_t now(struct world *world)
{
	uint64_t time = sc_clock_read(&world->partition.clock, sc_ticks(world->counter)).v;
	uint64_t exact = (uint64_t)(exact_time(world) >> FRACTION);

	FUZZ_MUST(time >= world->last);
	/* Less than one unit higher at creation and by each rebase, or lower by each and by its own rounding. */
	FUZZ_MUST(time <= exact + 2 + world->rebases && exact <= time + 2 + world->rebases);
	world->last = time;
	return time;
}

static bool is_memory(uint64_t gpa)
{
	return gpa >= MODEL_BASE && gpa - MODEL_BASE < MODEL_MEMORY;
}

/* The page, if the guest has one in its memory, gives the same time; the model takes over its bytes. */
static void write_page(struct world *world)
{
	const uint64_t gpa = world->partition.reference_tsc & ~0xfffull;
	uint64_t at = gpa - MODEL_BASE, scale, offset;
	uint32_t sequence;

	if (!(world->partition.reference_tsc & 1) || !is_memory(gpa))
		return;
	sc_page_write((struct sc_reference_tsc_page *)(world->memory + at), &world->partition.clock,
		      world->partition.page_sequence);
	memcpy(&sequence, world->memory + at, 4);
	memcpy(&scale, world->memory + at + 8, 8);
	memcpy(&offset, world->memory + at + 16, 8);
	if (world->partition.clock.hz > 10000000) {
		FUZZ_MUST(sequence != 0 && sequence != UINT32_MAX);
		FUZZ_MUST(scale == (uint64_t)(((unsigned __int128)10000000 << 64) / world->partition.clock.hz));
		FUZZ_MUST((uint64_t)(((unsigned __int128)world->counter * scale) >> 64) + offset == now(world));
	} else {
		FUZZ_MUST(sequence == 0);
	}
	memcpy(world->model.memory + at, world->memory + at, 24);
}

/* ---- The monitor ---- */

static struct sc_message *slot_at(struct world *world, uint64_t gpa)
{
	return (struct sc_message *)(world->memory + (gpa - MODEL_BASE));
}

static void compare_way(const struct sc_delivery *delivery, const struct model_way *way)
{
	FUZZ_MUST(delivery->message == way->message && delivery->interrupt == way->interrupt);
	FUZZ_MUST(!way->interrupt || delivery->intid == way->intid);
	FUZZ_MUST(!way->message || delivery->slot_gpa == way->slot);
}

/* Whether there is a free slot, which both sides must see alike; one that is taken is marked on both. */
static bool slot_free(struct world *world, uint64_t gpa)
{
	bool is_free;

	if (!is_memory(gpa))
		return false;
	is_free = sc_message_slot_free(slot_at(world, gpa));
	FUZZ_MUST(is_free == model_slot_free(&world->model, gpa));
	return is_free;
}

/* One expiry that both sides want delivered. */
static void deliver(struct world *world, const struct sc_delivery *delivery)
{
	struct sc_stimer *timer = &world->partition.vcpu[delivery->vp].timer[delivery->timer];
	struct model_timer *model = &world->model.vcpu[delivery->vp].timer[delivery->timer];
	uint32_t bit = delivery->interrupt ? 1u << delivery->intid : 0;
	bool level = !delivery->message && world->model.declared & 2;
	bool merged = !level && !delivery->message && world->latched[delivery->vp] & bit;
	struct sc_message message;

	if (delivery->message && !slot_free(world, delivery->slot_gpa))
		return;
	if (!level && world->active[delivery->vp] & bit)
		return;
	if (delivery->message) {
		sc_message_fill(&message, &world->partition, delivery, sc_ref(now(world)));
		sc_message_place(slot_at(world, delivery->slot_gpa), &message);
		model_put_message(&world->model, delivery->slot_gpa, delivery->timer, model_expired(model), now(world));
	}
	if (merged)
		sc_stimer_merged(timer);
	else
		sc_stimer_delivered(timer, level);
	model_give(model, level, merged);
	world->latched[delivery->vp] |= level ? 0 : bit;
}

static void service(struct world *world)
{
	struct sc_delivery delivery;
	sc_ref_t deadline = sc_ref(UINT64_MAX);
	uint32_t cursor = 0;
	bool more;

	sc_partition_expire(&world->partition, sc_ticks(world->counter));
	model_look(&world->model, now(world));
	more = sc_partition_pending(&world->partition, &cursor, &delivery);
	for (uint32_t i = 0; i < world->model.vcpus * MODEL_TIMERS; i++) {
		struct model_vcpu *vcpu = &world->model.vcpu[i / MODEL_TIMERS];
		struct model_timer *timer = &vcpu->timer[i % MODEL_TIMERS];
		struct model_way way = model_way_of(vcpu, timer);
		bool here = more && delivery.vp == i / MODEL_TIMERS && delivery.timer == i % MODEL_TIMERS;

		FUZZ_MUST(here == (model_pending(timer) && way.open));
		if (!here)
			continue;
		compare_way(&delivery, &way);
		deliver(world, &delivery);
		more = sc_partition_pending(&world->partition, &cursor, &delivery);
	}
	FUZZ_MUST(!more);
	sc_partition_deadline(&world->partition, &deadline);
	FUZZ_MUST(deadline.v == model_next(&world->model));
}

/* ---- Hypercalls ---- */

/* Mostly a register that exists. */
static uint64_t any_name(struct world *world)
{
	static const uint32_t names[] = { SC_REG_GUEST_OS_ID,
					  SC_REG_REFERENCE_TSC,
					  SC_REG_STIMER0_CONFIG,
					  SC_REG_STIMER0_COUNT,
					  SC_REG_SINT0,
					  SC_REG_SCONTROL,
					  SC_REG_SIMP,
					  SC_REG_EOM,
					  SC_REG_GUEST_CLOCK,
					  SC_REG_HYPERVISOR_VERSION,
					  SC_REG_GUEST_CRASH_P0,
					  SC_REG_SVERSION,
					  SC_REG_VP_INDEX,
					  SC_REG_MIGRATION,
					  SC_REG_HOLD };
	uint32_t choice = (uint32_t)take(world, 1);

	if (choice >= 0xf0)
		return take(world, 4);
	return names[choice % 16 % (sizeof(names) / sizeof(names[0]))] + choice / 16 % 8;
}

/* Values that get past the checks, mostly. */
static uint64_t any_value(struct world *world)
{
	uint32_t kind = (uint32_t)take(world, 1);

	switch (kind % 5) {
	case 0: /* a timer's configuration */
		return (kind / 5 % 16) | (take(world, 1) % 34) << 4 | (kind & 1 ? 0x1000 : 0) |
		       (uint64_t)(kind & 15) << 16;
	case 1: /* a SINT, EOM */
		return take(world, 1) % 34 | (uint64_t)(kind & 0x70) << 12;
	case 2: /* a page of the guest */
		return MODEL_BASE + (take(world, 1) % 5) * 4096 + (kind & 1);
	case 3: /* a moment or a period */
		return (kind & 32 ? world->last : 0) + take(world, 3);
	default:
		return take(world, 8);
	}
}

/* A header and a list, where the call will look for it. */
static void fill_list(struct world *world, uint8_t *list, size_t room, uint64_t control)
{
	uint32_t kind = (uint32_t)take(world, 1);
	struct sc_vp_registers_header header = { .partition_id = SC_PARTITION_ID_SELF, .vp_index = SC_VP_INDEX_SELF };
	bool is_get = (control & 0xffff) == 0x50;

	if (kind >= 0xf0)
		header.partition_id = take(world, 8);
	else if (kind >= 0xe0)
		header.input_vtl = (uint8_t)take(world, 1);
	else if (kind >= 0x80)
		header.vp_index = (uint32_t)take(world, 1) % 10;
	memcpy(list, &header, sizeof(header));
	for (size_t at = 16; at + (is_get ? 4 : 32) <= room && at < 200; at += is_get ? 4 : 32) {
		uint32_t name = (uint32_t)any_name(world);
		uint64_t value;

		memcpy(list + at, &name, 4);
		if (is_get)
			continue;
		value = any_value(world);
		memcpy(list + at + 16, &value, 8);
	}
}

/* What the monitor does with a call, from the same registers. */
static uint32_t core_call(struct world *world, uint32_t vp, uint64_t x[18])
{
	struct sc_call_outcome outcome = { 0 };
	uint64_t input[512], output[512];
	struct sc_call call;

	outcome.result = sc_call_decode_registers(x, &call);
	if (outcome.result == SC_HV_SUCCESS) {
		if (call.fast) {
			memcpy(input, x + sc_call_input_register(&call), call.input_size);
		} else if (!is_memory(call.input_gpa) || (call.output_size && !is_memory(call.output_gpa))) {
			x[0] = SC_HV_INVALID_PARAMETER;
			return 0;
		} else {
			memcpy(input, world->memory + (call.input_gpa - MODEL_BASE), call.input_size);
		}
		sc_call_run(&world->partition, vp, &call, input, output, sc_ticks(world->counter), &outcome);
		if (call.fast)
			memcpy(x + sc_call_output_register(&call), output, outcome.output_size);
		else if (outcome.output_size)
			memcpy(world->memory + (call.output_gpa - MODEL_BASE), output, outcome.output_size);
	}
	x[0] = outcome.result;
	return outcome.effects;
}

static uint64_t any_control(struct world *world, uint32_t kind)
{
	uint64_t count = take(world, 1);

	if (kind % 32 == 31)
		return take(world, 8);
	return (kind & 1 ? 0x50 : 0x51) | (kind & 2 ? 0 : 1 << 16) | (count % 8 + (count < 250)) << 32 |
	       (uint64_t)(count >= 240) << 48;
}

static void step_call(struct world *world)
{
	uint32_t kind = (uint32_t)take(world, 1), vp = kind / 32 % world->model.vcpus, effects;
	uint64_t x[18], model_x[18], control = any_control(world, kind);
	bool second = kind & 4;
	uint64_t *block = second ? x + 1 : x + 2;

	for (uint32_t n = 0; n < 18; n++)
		x[n] = 0x1111111111111111u * (n % 16);
	x[0] = second ? control : SC_HVC_FUNCTION_ID;
	if (!second)
		x[1] = control;
	if (control >> 16 & 1) {
		fill_list(world, (uint8_t *)block, 128, control);
	} else {
		uint64_t at = take(world, 2) % MODEL_MEMORY / (kind & 8 ? 4 : 256) * (kind & 8 ? 4 : 256);

		block[0] = kind & 16 ? MODEL_BASE + at : take(world, 8);
		block[1] = MODEL_BASE + take(world, 2) % (MODEL_MEMORY + 4096) / 8 * 8;
		fill_list(world, world->memory + at / 8 * 8, MODEL_MEMORY - at / 8 * 8, control);
		memcpy(world->model.memory, world->memory, MODEL_MEMORY);
	}
	memcpy(model_x, x, sizeof(x));
	effects = core_call(world, vp, x);
	FUZZ_MUST(effects == model_call(&world->model, vp, model_x, now(world)));
	FUZZ_MUST(!memcmp(x, model_x, sizeof(x)));
	if (effects & SC_EFFECT_PAGE)
		write_page(world);
	if (effects & (SC_EFFECT_TIMER | SC_EFFECT_SYNIC))
		service(world);
}

/* ---- Everything else ---- */

static void step_time(struct world *world)
{
	uint32_t kind = (uint32_t)take(world, 1);
	sc_ref_t deadline;

	world->counter += take(world, kind % 5);
	/* Up to a deadline, or just before it. */
	if (kind & 64 && sc_partition_deadline(&world->partition, &deadline)) {
		uint64_t ticks =
			sc_rate_ns_to_ticks(world->partition.clock.hz, sc_ref_until(sc_ref(now(world)), deadline)).v;

		world->counter += ticks < 1ull << 32 ? ticks + (kind & 128 ? 2 : 0) : 0;
	}
	if (!(kind & 32))
		service(world);
}

/* The guest takes interrupts, ends them, reads messages. */
static void step_guest(struct world *world)
{
	uint32_t vp = (uint32_t)take(world, 1) % world->model.vcpus, slot = (uint32_t)take(world, 1) % 16;
	uint64_t simp = world->partition.vcpu[vp].synic.simp & ~0xfffull, at = simp - MODEL_BASE + 256 * slot;
	uint32_t taken = (uint32_t)take(world, 4);

	world->active[vp] = (world->active[vp] | (world->latched[vp] & taken)) & taken;
	world->latched[vp] &= ~taken;
	if (!is_memory(simp))
		return;
	memset(world->memory + at, 0, 4);
	memset(world->model.memory + at, 0, 4);
}

static void step_store(struct world *world)
{
	size_t at = take(world, 2) % (MODEL_MEMORY - 8);
	uint64_t value = take(world, 8);

	memcpy(world->memory + at, &value, 8);
	memcpy(world->model.memory + at, &value, 8);
}

/* The monitor asks something of the guest, or answers a hold. */
static void step_ask(struct world *world)
{
	uint32_t kind = (uint32_t)take(world, 1), asked = kind / 2 % 3;
	struct sc_hold_answer answer;

	if (kind & 1) {
		FUZZ_MUST(sc_hold_ask(&world->partition, asked) == (world->model.asked != asked));
		world->model.asked = asked;
		return;
	}
	FUZZ_MUST(sc_hold_end(&world->partition, asked & 1, &answer) == world->model.held);
	if (world->model.held)
		FUZZ_MUST(answer.vp == world->model.holder && answer.result == 1ull << 32 &&
			  answer.value[0] == world->model.hz && answer.value[1] == (asked & 1));
	world->model.held = false;
	world->model.asked = 0;
}

static void step_migrate(struct world *world)
{
	struct sc_stop_point stop = sc_partition_stop(&world->partition, sc_ticks(world->counter));
	uint32_t kind = (uint32_t)take(world, 1), hz = 1000000 + (uint32_t)take(world, 4) % 1999000001;
	enum sc_clock_policy policy = kind & 1 ? SC_CLOCK_FREEZE : SC_CLOCK_ADVANCE;
	sc_ns_t gap = sc_ns(take(world, 4));
	unsigned __int128 exact = exact_time(world);
	uint8_t record[SC_RECORD_MAX], again[SC_RECORD_MAX];
	size_t size, again_size;
	sc_ticks_t counter;

	FUZZ_MUST(!sc_record_save(&world->partition, &stop, record, sizeof(record), &size));
	memset(&world->partition, 0xee, sizeof(world->partition));
	FUZZ_MUST(!sc_record_load(record, size, &world->partition, &stop));
	FUZZ_MUST(!sc_record_save(&world->partition, &stop, again, sizeof(again), &again_size));
	FUZZ_MUST(again_size == size && !memcmp(record, again, size));
	FUZZ_MUST(!sc_partition_resume(&world->partition, &stop, hz, policy, gap, &counter));
	FUZZ_MUST(counter.v >= world->counter);
	world->counter = world->since = counter.v;
	world->exact = exact + (policy == SC_CLOCK_FREEZE ? 0 : ((unsigned __int128)gap.v << FRACTION) / 100);
	world->rebases++;
	world->model.hz = hz;
	world->model.asked = 0;
	write_page(world);
	service(world);
}

static void step(struct world *world)
{
	static void (*const steps[])(struct world *) = { step_call, step_call,	step_call,    step_call,
							 step_call, step_time,	step_time,    step_time,
							 step_time, step_guest, step_guest,   step_store,
							 step_ask,  step_guest, step_migrate, step_call };

	steps[take(world, 1) % 16](world);
}

static void compare(const struct world *world)
{
	FUZZ_MUST(!memcmp(world->memory, world->model.memory, MODEL_MEMORY));
	for (uint32_t i = 0; i < world->model.vcpus * MODEL_TIMERS; i++) {
		const struct sc_stimer *timer = &world->partition.vcpu[i / MODEL_TIMERS].timer[i % MODEL_TIMERS];
		const struct model_timer *model = &world->model.vcpu[i / MODEL_TIMERS].timer[i % MODEL_TIMERS];

		FUZZ_MUST(timer->config == model->config && timer->count == model->count);
		FUZZ_MUST(timer->pending == model_pending(model) && timer->asserted == model->line);
		FUZZ_MUST(timer->expired.v == model_expired(model) && timer->coalesced == model_coalesced(model));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct world world;
	uint32_t vcpus, hz;

	memset(&world, 0, sizeof(world));
	world.bytes = data;
	world.left = size;
	vcpus = 1 + (uint32_t)take(&world, 1) % MODEL_VCPUS;
	hz = 1000000 + (uint32_t)take(&world, 4) % 1999000001;
	world.counter = world.since = take(&world, 5);
	FUZZ_MUST(!sc_partition_init(&world.partition, vcpus, hz, sc_ticks(world.counter)));
	model_reset(&world.model, vcpus, hz);
	while (world.left) {
		step(&world);
		compare(&world);
	}
	return 0;
}
