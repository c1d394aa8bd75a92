/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Test vectors of whole guests: they make hypercalls, their timers expire, they are asked to hold, stop on one counter
 * and go on on another, by way of a record.
 */
#include "write.h"

#include <string.h>

#define GUESTS 5
#define STEPS 9
#define OS_ID 0x8100060c00000000ull

/* A register, with a value that it may take, or any. */
static uint32_t any_register(uint64_t *value)
{
	static const struct {
		uint32_t name;
		uint64_t value;
	} choice[] = {
		{ SC_REG_TIME_REF_COUNT, 0 },
		{ SC_REG_REFERENCE_TSC, 0x40001001 },
		{ SC_REG_STIMER0_CONFIG, 0x11f9 },
		{ SC_REG_STIMER0_CONFIG + 2, 0x2000b },
		{ SC_REG_STIMER0_COUNT, 50000 },
		{ SC_REG_STIMER0_COUNT + 2, 2500 },
		{ SC_REG_SCONTROL, SC_SCONTROL_ENABLE },
		{ SC_REG_SIMP, 0x40002001 },
		{ SC_REG_SINT0 + 2, 20 },
		{ SC_REG_GUEST_CLOCK, SC_GUEST_CLOCK_DECLARED | SC_GUEST_CLOCK_ON_PAGE | SC_GUEST_CLOCK_HOLDS },
		{ SC_REG_MIGRATION, 0 },
		{ SC_REG_VP_INDEX, 0 },
		{ SC_REG_PRIVILEGES_AND_FEATURES, 0 },
		{ SC_REG_GUEST_CRASH_P0 + 1, 77 },
		{ SC_REG_EOM, 0 },
		{ 0x12345, 1 },
	};
	uint32_t n = (uint32_t)(random_next(&dice) % (sizeof(choice) / sizeof(choice[0])));

	*value = random_chance(&dice, 8) ? random_next(&dice) : choice[n].value;
	return choice[n].name;
}

static void call(bool set, uint32_t vp, uint32_t name, uint64_t value)
{
	const struct sc_vp_registers_header header = { SC_PARTITION_ID_SELF, SC_VP_INDEX_SELF, 0, { 0 } };
	const struct sc_set_vp_register element = { .name = name, .value_low = value };

	v.x[0] = SC_HVC_FUNCTION_ID;
	v.x[1] = set ? SC_CALL_SET_ONE : SC_CALL_GET_ONE;
	v.x[2] = header.partition_id;
	v.x[3] = header.vp_index;
	emit("sc_call_decode_registers");
	memcpy(v.input.data, &header, sizeof(header));
	memcpy(v.input.data + sizeof(header), &element, set ? sizeof(element) : sizeof(name));
	v.input.size = v.call.input_size;
	v.vp = vp;
	emit("sc_call_run");
}

static void any_call(void)
{
	uint64_t value;
	uint32_t name = any_register(&value);
	bool set = random_chance(&dice, 3) ? false : name != SC_REG_TIME_REF_COUNT;

	call(set, (uint32_t)(random_next(&dice) % v.partition.vcpu_count), name, value);
}

/* What is pending goes to the guest. */
static void deliver(void)
{
	v.cursor = 0;
	emit("sc_partition_pending");
	if (!v.answer)
		return;
	v.now = sc_clock_read(&v.partition.clock, v.counter).v;
	if (v.delivery.message && random_chance(&dice, 4)) {
		emit("sc_message_fill");
		v.slot.size = sizeof(struct sc_message);
		memset(v.slot.data, 0, v.slot.size);
		emit("sc_message_slot_free");
		emit("sc_message_place");
		emit("sc_message_slot_free");
	}
	v.timer = v.partition.vcpu[v.delivery.vp].timer[v.delivery.timer];
	v.asserted = !v.delivery.message && random_chance(&dice, 2);
	emit("sc_stimer_delivered");
	v.partition.vcpu[v.delivery.vp].timer[v.delivery.timer] = v.timer;
}

static void pass(void)
{
	v.counter.v += random_between(&dice, 0, v.partition.clock.hz / 100);
	emit("sc_partition_expire");
	emit("sc_partition_deadline");
	deliver();
}

static void hold(void)
{
	v.asked = SC_ASK_HOLD;
	emit("sc_hold_ask");
	emit("sc_hold_ask");
	call(false, 0, SC_REG_HOLD, 0);
	v.online = (1u << v.partition.vcpu_count) - 1;
	v.move = SC_MOVE_AS_STANDS;
	emit("sc_partition_follow");
}

/* Records that no monitor has written: cut, too long, of another version, and with one byte changed. */
static void damage(void)
{
	const struct field_bytes good = v.record;

	v.record.size -= 1;
	emit("sc_record_load");
	v.record = good;
	v.record.size += 1;
	emit("sc_record_load");
	for (int i = 0; i < 4; i++) {
		v.record = good;
		v.record.data[i ? random_next(&dice) % good.size : 4] ^= 1u << random_next(&dice) % 8;
		emit("sc_record_load");
	}
	v.record = good;
}

/* Stops, and goes on from the record on a counter of another rate. */
static void move(void)
{
	emit("sc_partition_stop");
	v.capacity = random_between(&dice, 300, 600);
	emit("sc_record_save");
	v.capacity = SC_RECORD_MAX;
	emit("sc_record_save");
	if (v.error)
		return;
	damage();
	emit("sc_record_load");
	v.hz = any_rate();
	v.policy = random_chance(&dice, 2) ? SC_CLOCK_FREEZE : SC_CLOCK_ADVANCE;
	v.gap.v = random_chance(&dice, 2) ? random_next(&dice) % 300 : random_next(&dice) % 5000000000;
	emit("sc_partition_resume");
	v.ended = SC_HOLD_MOVED;
	emit("sc_hold_end");
}

/* Timer 0 fires directly, timer 1 by messages of SINT 2. */
static void start_timers(uint32_t vp)
{
	call(true, vp, SC_REG_SCONTROL, SC_SCONTROL_ENABLE);
	call(true, vp, SC_REG_SIMP, 0x40002001);
	call(true, vp, SC_REG_SINT0 + 2, 20);
	call(true, vp, SC_REG_STIMER0_CONFIG, 0x11f9);
	call(true, vp, SC_REG_STIMER0_CONFIG + 2, 0x2000b);
	call(true, vp, SC_REG_STIMER0_COUNT + 2, 2500);
}

static void follow(void)
{
	v.online = (uint32_t)(random_next(&dice) % 4);
	v.move = random_chance(&dice, 2) ? SC_MOVE_AS_STANDS : SC_MOVE_ASKED;
	emit("sc_partition_follow");
}

static void guest(void)
{
	v.vcpu_count = (uint32_t)random_between(&dice, 1, 2);
	v.hz = any_rate();
	v.counter.v = random_wide(&dice) >> 16;
	emit("sc_partition_init");
	call(true, 0, SC_REG_REFERENCE_TSC, 0x40001001); /* before its GuestOsId: refused */
	call(true, 0, SC_REG_GUEST_OS_ID, OS_ID);
	start_timers(v.vcpu_count - 1);
	for (int i = 0; i < STEPS; i++) {
		any_call();
		if (random_chance(&dice, 2))
			pass();
		if (random_chance(&dice, 4))
			follow();
	}
	if (random_chance(&dice, 2))
		hold();
	move();
	pass();
}

void write_guests(void)
{
	static const uint32_t refused[] = { 0, SC_VCPU_MAX + 1 };

	v.hz = 25000000;
	for (int i = 0; i < 2; i++) {
		v.vcpu_count = refused[i];
		emit("sc_partition_init");
	}
	for (int i = 0; i < GUESTS; i++)
		guest();
	emit("sc_partition_reset");
	v.hz = SC_RATE_MAX_HZ + 1;
	emit("sc_partition_resume");
}
