/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Property: eight vCPUs with four timers of 1 ms each, direct and by message, get every period once, as a delivery of
 * its own or counted as coalesced, in phase and never early, whatever the guest masks, however late everybody is and
 * wherever the machine moves. In the end nothing is left waiting.
 *
 * Policy: monitor, interrupt controller and guest are simulated here, the monitor with no more wake-ups than the core
 * asks for, so that a forgotten one shows. The guest judges by its own count of interrupts and messages.
 */
#include <seaclock/core.h>

#include <string.h>

#include "random.h"

#define MACHINES 60
#define STEPS 6000
#define PERIOD 10000u /* 1 ms */
#define PAGE 0x40000000ull
#define DIRECT_TIMERS 2u
#define INTID_OF(n) (20u + (n))
#define SINT_OF(n) (2u + (n))

struct guest_timer {
	uint64_t start;
	uint64_t taken; /* interrupts of a direct timer, messages of another */
	uint64_t last;	/* expiration time of the last message */
};

struct guest_vcpu {
	struct sc_message slot[SC_SINT_COUNT];
	struct guest_timer timer[SC_STIMER_COUNT];
	uint32_t latched; /* a bit an INTID */
	uint32_t active;
	bool masks_interrupts;
	bool shares_sint; /* both message timers use one slot */
};

struct world {
	struct random *random;
	struct sc_partition partition;
	struct guest_vcpu vcpu[SC_VCPU_MAX];
	uint64_t counter;
	uint64_t serviced; /* reference time of the monitor's last look at the timers */
	bool retry;	   /* an interrupt was active */
};

static uint64_t reference(const struct world *world)
{
	return sc_clock_read(&world->partition.clock, sc_ticks(world->counter)).v;
}

/* ---- The monitor and the interrupt controller ---- */

static void monitor_deliver(struct world *world, const struct sc_delivery *delivery)
{
	struct guest_vcpu *guest = &world->vcpu[delivery->vp];
	struct sc_stimer *timer = &world->partition.vcpu[delivery->vp].timer[delivery->timer];
	struct sc_message *slot = &guest->slot[(delivery->slot_gpa - PAGE) / sizeof(*slot) % SC_SINT_COUNT];
	uint32_t bit = 1u << delivery->intid;
	struct sc_message message;

	if (delivery->message && !sc_message_slot_free(slot))
		return;
	if (guest->active & bit) {
		world->retry = true;
		return;
	}
	if (delivery->message) {
		sc_message_fill(&message, &world->partition, delivery, sc_ref(reference(world)));
		sc_message_place(slot, &message);
	}
	if (guest->latched & bit && !delivery->message)
		sc_stimer_merged(timer);
	else
		sc_stimer_delivered(timer, false);
	guest->latched |= bit;
}

static void monitor_service(struct world *world)
{
	struct sc_delivery delivery;
	uint32_t cursor = 0;

	world->retry = false;
	world->serviced = reference(world);
	sc_partition_expire(&world->partition, sc_ticks(world->counter));
	while (sc_partition_pending(&world->partition, &cursor, &delivery))
		monitor_deliver(world, &delivery);
}

static void monitor_wake(struct world *world)
{
	sc_ref_t deadline;

	if (world->retry || (sc_partition_deadline(&world->partition, &deadline) && deadline.v <= reference(world)))
		monitor_service(world);
}

static void migrate(struct world *world)
{
	struct sc_stop_point stop = sc_partition_stop(&world->partition, sc_ticks(world->counter));
	sc_ns_t gap = sc_ns(random_between(world->random, 0, 20000000));
	uint8_t record[SC_RECORD_MAX];
	sc_ticks_t counter;
	size_t size;

	PROPERTY(!sc_record_save(&world->partition, &stop, record, sizeof(record), &size), "does not save");
	memset(&world->partition, 0xee, sizeof(world->partition));
	PROPERTY(!sc_record_load(record, size, &world->partition, &stop), "does not load");
	PROPERTY(!sc_partition_resume(&world->partition, &stop, random_rate(world->random),
				      random_chance(world->random, 2) ? SC_CLOCK_FREEZE : SC_CLOCK_ADVANCE, gap,
				      &counter),
		 "does not resume");
	world->counter = counter.v;
	monitor_service(world);
}

/* ---- The guest ---- */

static void guest_write(struct world *world, uint32_t vp, uint32_t name, uint64_t value)
{
	const struct sc_vp_registers_header header = { .partition_id = SC_PARTITION_ID_SELF,
						       .vp_index = SC_VP_INDEX_SELF };
	const struct sc_set_vp_register element = { .name = name, .value_low = value };
	struct sc_call_outcome outcome;
	struct sc_call call;
	uint64_t input[6];

	memcpy(input, &header, sizeof(header));
	memcpy(input + 2, &element, sizeof(element));
	PROPERTY(!sc_call_decode(SC_CALL_SET_ONE, 0, 0, &call), "decode");
	sc_call_run(&world->partition, vp, &call, input, NULL, sc_ticks(world->counter), &outcome);
	PROPERTY(outcome.result == 1ull << SC_RESULT_REPS_SHIFT, "register 0x%" PRIx32 " is refused: %s", name,
		 outcome.refused);
	if (outcome.effects & (SC_EFFECT_TIMER | SC_EFFECT_SYNIC))
		monitor_service(world);
}

static uint32_t sint_of(const struct guest_vcpu *guest, uint32_t n)
{
	return guest->shares_sint ? SINT_OF(DIRECT_TIMERS) : SINT_OF(n);
}

static void guest_start(struct world *world, uint32_t vp)
{
	struct guest_vcpu *guest = &world->vcpu[vp];

	guest->shares_sint = random_chance(world->random, 2);
	guest_write(world, vp, SC_REG_GUEST_OS_ID, 1);
	guest_write(world, vp, SC_REG_SIMP, (PAGE + vp * SC_HV_PAGE_SIZE) | SC_SIMP_ENABLE);
	guest_write(world, vp, SC_REG_SCONTROL, SC_SCONTROL_ENABLE);
	for (uint32_t n = 0; n < SC_STIMER_COUNT; n++) {
		uint64_t target = n < DIRECT_TIMERS ? SC_STIMER_DIRECT | (uint64_t)INTID_OF(n) << SC_STIMER_INTID_SHIFT
						    : (uint64_t)sint_of(guest, n) << SC_STIMER_SINT_SHIFT;

		guest_write(world, vp, SC_REG_SINT0 + SINT_OF(n), INTID_OF(n));
		guest_write(world, vp, SC_REG_STIMER0_CONFIG + 2 * n,
			    target | SC_STIMER_AUTO_ENABLE | SC_STIMER_PERIODIC);
		world->counter += random_between(world->random, 0, world->partition.clock.hz / 5000);
		guest->timer[n].start = reference(world);
		guest_write(world, vp, SC_REG_STIMER0_COUNT + 2 * n, PERIOD);
	}
}

static void guest_take_message(struct world *world, uint32_t vp, uint32_t sint)
{
	struct guest_vcpu *guest = &world->vcpu[vp];
	struct sc_message *slot = &guest->slot[sint];
	struct sc_timer_message payload;
	struct guest_timer *timer;

	if (slot->type == SC_MESSAGE_NONE)
		return;
	memcpy(&payload, slot->payload, sizeof(payload));
	PROPERTY(payload.timer_index >= DIRECT_TIMERS && payload.timer_index < SC_STIMER_COUNT &&
			 sint_of(guest, payload.timer_index) == sint,
		 "a message of timer %" PRIu32 " in slot %" PRIu32, payload.timer_index, sint);
	timer = &guest->timer[payload.timer_index];
	PROPERTY((payload.expiration_time - timer->start) % PERIOD == 0 &&
			 payload.expiration_time > (timer->last ? timer->last : timer->start),
		 "expiration at %" PRIu64 " after %" PRIu64 ", started at %" PRIu64, payload.expiration_time,
		 timer->last, timer->start);
	PROPERTY(payload.delivery_time >= payload.expiration_time && payload.delivery_time <= reference(world),
		 "delivered at %" PRIu64 ", due at %" PRIu64, payload.delivery_time, payload.expiration_time);
	timer->last = payload.expiration_time;
	timer->taken++;
	slot->type = SC_MESSAGE_NONE;
	if (slot->flags & SC_MESSAGE_PENDING)
		guest_write(world, vp, SC_REG_EOM, 0);
}

static void guest_interrupt(struct world *world, uint32_t vp, uint32_t n)
{
	struct guest_vcpu *guest = &world->vcpu[vp];
	uint32_t bit = 1u << INTID_OF(n);

	guest->latched &= ~bit;
	guest->active |= bit;
	if (n < DIRECT_TIMERS)
		guest->timer[n].taken++;
	else
		guest_take_message(world, vp, SINT_OF(n));
	/* Most handlers end soon, some are still at it when the next period ends. */
	if (!random_chance(world->random, 8))
		guest->active &= ~bit;
}

/* What guests do besides handling interrupts: they mask a SINT or switch the whole SynIC off, and on again. */
static void guest_fiddle(struct world *world, uint32_t vp)
{
	uint32_t n = (uint32_t)random_between(world->random, DIRECT_TIMERS, SC_STIMER_COUNT - 1);
	bool off = random_chance(world->random, 6);

	world->vcpu[vp].masks_interrupts = random_chance(world->random, 4);
	if (random_chance(world->random, 2))
		guest_write(world, vp, SC_REG_SINT0 + SINT_OF(n), INTID_OF(n) | (off ? SC_SINT_MASKED : 0));
	else if (random_chance(world->random, 2))
		guest_write(world, vp, SC_REG_SCONTROL, off ? 0 : SC_SCONTROL_ENABLE);
	else
		guest_write(world, vp, SC_REG_SIMP, (PAGE + vp * SC_HV_PAGE_SIZE) | (off ? 0 : SC_SIMP_ENABLE));
}

static void guest_run(struct world *world, uint32_t vp)
{
	struct guest_vcpu *guest = &world->vcpu[vp];

	for (uint32_t n = 0; n < SC_STIMER_COUNT; n++) {
		uint32_t bit = 1u << INTID_OF(n);

		if (guest->active & bit && random_chance(world->random, 2))
			guest->active &= ~bit;
		else if (guest->latched & ~guest->active & bit && !guest->masks_interrupts)
			guest_interrupt(world, vp, n);
	}
}

/* ---- Judgement ---- */

/* Deliveries that the guest has not taken yet. */
static uint64_t under_way(const struct guest_vcpu *guest, uint32_t n)
{
	const struct sc_message *slot = &guest->slot[sint_of(guest, n)];
	struct sc_timer_message payload;

	if (n < DIRECT_TIMERS)
		return guest->latched >> INTID_OF(n) & 1;
	memcpy(&payload, slot->payload, sizeof(payload));
	return slot->type != SC_MESSAGE_NONE && payload.timer_index == n;
}

static void judge_timer(const struct world *world, uint32_t vp, uint32_t n)
{
	const struct guest_vcpu *guest = &world->vcpu[vp];
	const struct sc_stimer *timer = &world->partition.vcpu[vp].timer[n];
	uint64_t periods = (world->serviced - guest->timer[n].start) / PERIOD;
	uint64_t delivered = guest->timer[n].taken + under_way(guest, n);

	PROPERTY(delivered + timer->coalesced + timer->pending == periods,
		 "vCPU %" PRIu32 ", timer %" PRIu32 ": %" PRIu64 " delivered, %" PRIu64 " coalesced, %d waits, %" PRIu64
		 " periods",
		 vp, n, delivered, timer->coalesced, timer->pending, periods);
}

static void judge(const struct world *world)
{
	for (uint32_t vp = 0; vp < SC_VCPU_MAX; vp++)
		for (uint32_t n = 0; n < SC_STIMER_COUNT; n++)
			judge_timer(world, vp, n);
}

static void step(struct world *world)
{
	/* Mostly well below a period, sometimes several. */
	uint64_t part = random_chance(world->random, 50) ? 200 : 4000;

	world->counter += random_between(world->random, 0, world->partition.clock.hz / part);
	monitor_wake(world);
	for (uint32_t vp = 0; vp < SC_VCPU_MAX; vp++) {
		if (random_chance(world->random, 60))
			guest_fiddle(world, vp);
		guest_run(world, vp);
	}
	judge(world);
	if (random_chance(world->random, 500))
		migrate(world);
}

/* Everything is on and everybody in time: whatever waited arrives without another period. */
static void settle(struct world *world)
{
	for (uint32_t vp = 0; vp < SC_VCPU_MAX; vp++) {
		world->vcpu[vp].masks_interrupts = false;
		guest_write(world, vp, SC_REG_SCONTROL, SC_SCONTROL_ENABLE);
		guest_write(world, vp, SC_REG_SIMP, (PAGE + vp * SC_HV_PAGE_SIZE) | SC_SIMP_ENABLE);
		for (uint32_t n = DIRECT_TIMERS; n < SC_STIMER_COUNT; n++)
			guest_write(world, vp, SC_REG_SINT0 + SINT_OF(n), INTID_OF(n));
	}
	for (int i = 0; i < 100; i++) {
		if (world->retry)
			monitor_service(world);
		for (uint32_t vp = 0; vp < SC_VCPU_MAX; vp++)
			guest_run(world, vp);
	}
	judge(world);
	for (uint32_t i = 0; i < SC_VCPU_MAX * SC_STIMER_COUNT; i++) {
		uint32_t vp = i / SC_STIMER_COUNT, n = i % SC_STIMER_COUNT;

		PROPERTY(!world->partition.vcpu[vp].timer[n].pending && !under_way(&world->vcpu[vp], n),
			 "an expiry of vCPU %" PRIu32 ", timer %" PRIu32 " is left waiting", vp, n);
		PROPERTY(world->vcpu[vp].timer[n].taken > STEPS / 300, "the guest got %" PRIu64 " expiries only",
			 world->vcpu[vp].timer[n].taken);
	}
}

static void live(struct random *random)
{
	struct world world = { .random = random, .counter = random_next(random) >> random_between(random, 8, 60) };

	PROPERTY(!sc_partition_init(&world.partition, SC_VCPU_MAX, random_rate(random), sc_ticks(world.counter)),
		 "init");
	for (uint32_t vp = 0; vp < SC_VCPU_MAX; vp++)
		guest_start(&world, vp);
	for (int i = 0; i < STEPS; i++)
		step(&world);
	settle(&world);
}

int main(void)
{
	struct random random = random_start();

	for (int i = 0; i < MACHINES; i++)
		live(&random);
	printf("[  PASSED  ] 1 test(s).\n");
	return 0;
}
