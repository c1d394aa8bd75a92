/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Property: no guest can do harm by hypercalls, no peer by records. Any call gives a sound result, every state that a
 * guest reaches can be saved and loaded, and of altered records only those load that are a state again.
 *
 * Policy: buffers have exactly the stated size, so that the sanitizer sees every byte too far.
 */
#include <seaclock/core.h>

#include <string.h>

#include "random.h"

#define GUESTS 200
#define CALLS 400
#define ALTERED 200

struct world {
	struct random *random;
	struct sc_partition partition;
	uint64_t counter;
};

static uint32_t any_register(struct random *random)
{
	static const uint32_t bases[] = { SC_REG_HYPERVISOR_VERSION,
					  SC_REG_PRIVILEGES_AND_FEATURES,
					  SC_REG_GUEST_CRASH_P0,
					  SC_REG_GUEST_CRASH_CTL,
					  SC_REG_GUEST_OS_ID,
					  SC_REG_VP_INDEX,
					  SC_REG_TIME_REF_COUNT,
					  SC_REG_REFERENCE_TSC,
					  SC_REG_STIMER0_CONFIG,
					  SC_REG_STIMER0_COUNT,
					  SC_REG_SEACLOCK,
					  SC_REG_GUEST_CLOCK,
					  SC_REG_MIGRATION,
					  SC_REG_HOLD,
					  SC_REG_SINT0,
					  SC_REG_SINT0 + 1,
					  SC_REG_SCONTROL,
					  SC_REG_SIMP };

	if (random_chance(random, 20))
		return (uint32_t)random_wide(random);
	return bases[random_next(random) % (sizeof(bases) / sizeof(bases[0]))] +
	       2 * (uint32_t)random_between(random, 0, 3) * random_chance(random, 2);
}

static uint64_t any_value(struct random *random)
{
	uint64_t intid = random_between(random, 14, 33) << SC_STIMER_INTID_SHIFT;

	if (random_chance(random, 3))
		return random_wide(random);
	return intid | (random_next(random) & 0xf) | (random_chance(random, 4) ? 0 : SC_STIMER_DIRECT);
}

static uint64_t any_control(struct random *random)
{
	uint64_t count = random_between(random, 0, 5),
		 start = random_chance(random, 3) ? random_between(random, 0, 5) : 0;
	uint64_t control = SC_HVCALL_GET_VP_REGISTERS + random_between(random, 0, 1);

	if (random_chance(random, 3))
		control |= SC_CALL_FAST;
	if (random_chance(random, 20))
		control ^= 1ull << random_between(random, 0, 63);
	return control | count << SC_CALL_REP_COUNT_SHIFT | start << SC_CALL_REP_START_SHIFT;
}

static void fill_input(struct random *random, const struct sc_call *call, uint8_t *input)
{
	struct sc_vp_registers_header header = { .partition_id = SC_PARTITION_ID_SELF, .vp_index = SC_VP_INDEX_SELF };
	bool get = (call->control & SC_CALL_CODE_MASK) == SC_HVCALL_GET_VP_REGISTERS;
	uint32_t name;

	if (random_chance(random, 10))
		header.vp_index = (uint32_t)random_wide(random);
	memcpy(input, &header, sizeof(header));
	for (size_t at = sizeof(header); at < call->input_size; at += get ? 4 : 32) {
		struct sc_set_vp_register element = { .value_low = any_value(random) };

		name = element.name = any_register(random);
		memcpy(input + at, get ? (void *)&name : (void *)&element, get ? sizeof(name) : sizeof(element));
	}
}

static void check_outcome(const struct sc_call *call, const struct sc_call_outcome *outcome)
{
	uint64_t start = call->control >> SC_CALL_REP_START_SHIFT & SC_CALL_REP_MASK;
	uint64_t done = (outcome->result >> SC_RESULT_REPS_SHIFT & SC_CALL_REP_MASK) - start;
	uint64_t status = outcome->result & SC_RESULT_STATUS_MASK;

	PROPERTY(done <= call->reps && (status == SC_HV_SUCCESS) == (done == call->reps),
		 "status %" PRIu64 " after %" PRIu64 " of %" PRIu32, status, done, call->reps);
	PROPERTY((status == SC_HV_SUCCESS) == !outcome->refused, "a refusal gives no reason, or a success does");
	PROPERTY(!call->output_size || outcome->output_size == done * 16, "wrong size of output");
	PROPERTY(!call->fast || !call->output_size ||
			 sc_call_output_register(call) * 8 + call->output_size <= (2 + 16) * 8,
		 "the output of a fast call does not fit");
}

static void call_hypervisor(struct world *world)
{
	struct sc_call_outcome outcome;
	struct sc_call call;
	uint8_t *input, *output;

	if (sc_call_decode(any_control(world->random), random_wide(world->random) & ~7ull,
			   random_wide(world->random) & ~7ull, &call))
		return;
	input = malloc(call.input_size);
	output = malloc(call.output_size);
	PROPERTY(input && output, "out of memory");
	fill_input(world->random, &call, input);
	sc_call_run(&world->partition, (uint32_t)random_between(world->random, 0, world->partition.vcpu_count - 1),
		    &call, input, output, sc_ticks(world->counter), &outcome);
	check_outcome(&call, &outcome);
	free(input);
	free(output);
}

static void pass_time(struct world *world)
{
	struct sc_delivery delivery;
	uint32_t cursor = 0;

	world->counter += random_next(world->random) >> random_between(world->random, 30, 60);
	if (!sc_partition_expire(&world->partition, sc_ticks(world->counter)))
		return;
	while (sc_partition_pending(&world->partition, &cursor, &delivery)) {
		struct sc_stimer *timer = &world->partition.vcpu[delivery.vp].timer[delivery.timer];

		PROPERTY(timer->pending, "timer %" PRIu32 " is given out, and nothing waits", delivery.timer);
		PROPERTY(!delivery.interrupt || delivery.intid - SC_PPI_FIRST <= SC_PPI_LAST - SC_PPI_FIRST,
			 "INTID %" PRIu32 " is due", delivery.intid);
		PROPERTY(delivery.message || delivery.interrupt, "neither message nor interrupt");
		if (random_chance(world->random, 2))
			sc_stimer_delivered(timer, !delivery.message && random_chance(world->random, 2));
	}
}

/* Loads bytes that are none of ours; what loads must be saved again as the same bytes. */
static void load_foreign(struct random *random, const uint8_t *record, size_t size)
{
	size_t length = random_chance(random, 3) ? random_between(random, 0, size) : size, again;
	uint8_t *bytes = malloc(length), saved[SC_RECORD_MAX];
	struct sc_partition partition;
	struct sc_stop_point stop;

	PROPERTY(bytes || !length, "out of memory");
	memcpy(bytes, record, length);
	for (uint64_t n = random_between(random, 0, 3); length && n; n--)
		bytes[random_next(random) % length] ^= (uint8_t)(1u << random_next(random) % 8);
	if (!sc_record_load(bytes, length, &partition, &stop)) {
		PROPERTY(!sc_record_save(&partition, &stop, saved, sizeof(saved), &again), "loads, but does not save");
		PROPERTY(again == length && !memcmp(bytes, saved, length), "saves other bytes than it has loaded");
	}
	free(bytes);
}

/* The guest goes on from its own record, as after a migration. */
static void move(struct world *world)
{
	struct sc_stop_point stop = sc_partition_stop(&world->partition, sc_ticks(world->counter));
	uint8_t record[SC_RECORD_MAX];
	sc_ticks_t counter;
	size_t size;

	PROPERTY(!sc_record_save(&world->partition, &stop, record, sizeof(record), &size), "does not save");
	PROPERTY(!sc_record_load(record, size, &world->partition, &stop), "does not load");
	for (int i = 0; i < ALTERED; i++)
		load_foreign(world->random, record, size);
	PROPERTY(!sc_partition_resume(&world->partition, &stop, random_rate(world->random), SC_CLOCK_ADVANCE,
				      sc_ns(random_between(world->random, 0, 1000000000)), &counter),
		 "does not resume");
	world->counter = counter.v;
}

static void live(struct random *random)
{
	struct world world = { .random = random, .counter = random_next(random) >> random_between(random, 8, 60) };
	uint32_t vcpus = (uint32_t)random_between(random, 1, SC_VCPU_MAX);

	PROPERTY(!sc_partition_init(&world.partition, vcpus, random_rate(random), sc_ticks(world.counter)), "init");
	world.partition.guest_os_id = 1;
	for (int i = 0; i < CALLS; i++) {
		call_hypervisor(&world);
		pass_time(&world);
		sc_partition_follow(&world.partition, (uint32_t)random_next(random), SC_MOVE_ASKED);
		if (random_chance(random, 20))
			move(&world);
	}
}

int main(void)
{
	struct random random = random_start();

	for (int i = 0; i < GUESTS; i++)
		live(&random);
	printf("[  PASSED  ] 2 test(s).\n");
	return 0;
}
