/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Timer messages on a fake host: into guest memory, marked dirty, with their interrupt or not at all.
 *
 * Policy: time moves only when a test says so; vCPU 0's timer 1 sends a message to SINT 4 every ms.
 */
#include "unit.h"
#include "../fake/host_fake.h"

#include "machine/clock.h"
#include "base/layout.h"

#include <poll.h>
#include <string.h>

#define MEMORY_SIZE (1ull << 20)
#define PAGE (LAYOUT_RAM_BASE + 5 * 4096)
#define SINT 4u
#define SLOT (PAGE + SINT * 256)
#define INTID 20u
#define MS 1000000ull
#define MARGIN 200u /* reference time may be a unit late */

static struct fake_host host;
static struct host_vm vm;
static struct memory memory;
static struct clock clock_;
static struct error error;

static void set(uint32_t name, uint64_t value)
{
	const struct sc_vp_registers_header header = { SC_PARTITION_ID_SELF, SC_VP_INDEX_SELF, 0, { 0 } };
	const struct sc_set_vp_register element = { .name = name, .value_low = value };
	struct sc_call_outcome outcome;
	struct sc_call call;
	uint64_t input[6];

	memcpy(input, &header, sizeof(header));
	memcpy(input + 2, &element, sizeof(element));
	assert_int_equal(sc_call_decode(SC_CALL_SET_ONE, 0, 0, &call), SC_HV_SUCCESS);
	clock_hypercall(&clock_, 0, &call, input, NULL, &outcome);
	assert_int_equal(outcome.result, 1ull << SC_RESULT_REPS_SHIFT);
}

static int set_up(void **state)
{
	(void)state;
	fake_reset();
	host = fake_host_make(25000000, 1000);
	fake_host_use(&host);
	if (host_vm_create(&vm, FAKE_FUNCTIONS, &error) || memory_create(&memory, MEMORY_SIZE, &error) ||
	    clock_init(&clock_, &vm, &memory, 2, &error) || clock_start(&clock_, SC_CLOCK_FREEZE, &error))
		return -1;
	set(SC_REG_GUEST_OS_ID, 1);
	set(SC_REG_SIMP, PAGE | SC_SIMP_ENABLE);
	set(SC_REG_SCONTROL, SC_SCONTROL_ENABLE);
	set(SC_REG_SINT0 + SINT, INTID);
	set(SC_REG_STIMER0_CONFIG + 2, SC_STIMER_PERIODIC | SC_STIMER_AUTO_ENABLE | SINT << SC_STIMER_SINT_SHIFT);
	set(SC_REG_STIMER0_COUNT + 2, MS / SC_REF_NS);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	clock_destroy(&clock_);
	host_vm_destroy(&vm);
	memory_destroy(&memory);
	return 0;
}

static struct sc_message *slot(void)
{
	return memory_span(&memory, SLOT, sizeof(struct sc_message));
}

static struct sc_stimer *timer(void)
{
	return &clock_.partition.vcpu[0].timer[1];
}

static uint32_t latched(void)
{
	return fake_vm_of(&vm)->latched[0][INTID];
}

/* True if the page was written since the last call. */
static bool dirty(void)
{
	uint64_t bitmap[MEMORY_SIZE / 4096 / 64] = { 0 };

	memory_take_dirty(&memory, bitmap);
	return bitmap[0] >> (PAGE - LAYOUT_RAM_BASE) / 4096 & 1;
}

/* What the thread of the timers does when it wakes; true if the vCPUs had to be stopped. */
static bool wake(uint64_t after_ns)
{
	fake_time_advance(after_ns);
	clock_expire(&clock_);
	if (!clock_needs_latch(&clock_))
		return false;
	clock_latch(&clock_);
	return true;
}

static void message_comes_with_its_interrupt(void **state)
{
	struct sc_timer_message payload;

	(void)state;
	dirty();
	assert_false(wake(MS - 1000));
	assert_int_equal(slot()->type, SC_MESSAGE_NONE);
	assert_true(wake(1000 + MARGIN));
	assert_int_equal(slot()->type, SC_MESSAGE_TIMER_EXPIRED);
	memcpy(&payload, slot()->payload, sizeof(payload));
	assert_int_equal(payload.timer_index, 1);
	assert_in_range(payload.expiration_time, MS / SC_REF_NS, MS / SC_REF_NS + 1);
	assert_true(payload.delivery_time >= payload.expiration_time);
	assert_int_equal(latched(), 1);
	assert_true(dirty());
	assert_false(timer()->pending);
	assert_in_range(fake_timer_left(clock_.timer), MS - 1000, MS);
}

static void busy_slot_waits_for_eom(void **state)
{
	struct pollfd item = { .fd = clock_.timer, .events = POLLIN };

	(void)state;
	assert_true(wake(MS + MARGIN));
	dirty();
	/* Not a reason to stop the vCPUs, nor to wake up again and again. */
	assert_false(wake(MS));
	assert_int_equal(slot()->flags, SC_MESSAGE_PENDING);
	assert_true(dirty());
	assert_int_equal(fake_timer_left(clock_.timer), UINT64_MAX);
	assert_int_equal(latched(), 1);
	slot()->type = SC_MESSAGE_NONE;
	set(SC_REG_EOM, 0);
	assert_int_equal(poll(&item, 1, 0), 1);
	assert_true(wake(0));
	assert_int_equal(slot()->type, SC_MESSAGE_TIMER_EXPIRED);
	assert_int_equal(slot()->flags, 0);
	assert_int_equal(latched(), 2);
}

static void active_interrupt_holds_the_message(void **state)
{
	(void)state;
	fake_vm_of(&vm)->active[0] = 1u << INTID;
	assert_true(wake(MS + MARGIN));
	assert_int_equal(slot()->type, SC_MESSAGE_NONE);
	assert_true(timer()->pending);
	assert_in_range(fake_timer_left(clock_.timer), 1, MS);
	fake_vm_of(&vm)->active[0] = 0;
	assert_true(wake(MS));
	assert_int_equal(slot()->type, SC_MESSAGE_TIMER_EXPIRED);
	assert_int_equal(latched(), 1);
	assert_int_equal(timer()->coalesced, 1);
}

static void polled_message_has_no_interrupt(void **state)
{
	(void)state;
	set(SC_REG_SINT0 + SINT, SC_SINT_POLLING);
	assert_true(wake(MS + MARGIN));
	assert_int_equal(slot()->type, SC_MESSAGE_TIMER_EXPIRED);
	assert_int_equal(latched(), 0);
}

static void masked_sint_waits(void **state)
{
	(void)state;
	set(SC_REG_SINT0 + SINT, SC_SINT_MASKED | INTID);
	assert_false(wake(3 * MS + MARGIN));
	assert_int_equal(fake_timer_left(clock_.timer), UINT64_MAX);
	set(SC_REG_SINT0 + SINT, INTID);
	assert_true(wake(0));
	assert_int_equal(latched(), 1);
	assert_int_equal(timer()->coalesced, 2);
}

/* A declared driver's levels are for direct timers only. */
static void message_is_never_a_level(void **state)
{
	(void)state;
	set(SC_REG_GUEST_CLOCK, SC_GUEST_CLOCK_REWRITES_TIMER);
	assert_true(wake(MS + MARGIN));
	assert_int_equal(fake_vm_of(&vm)->level[0], 0);
	assert_int_equal(latched(), 1);
	assert_false(timer()->asserted);
}

static void page_outside_memory_loses_nothing(void **state)
{
	(void)state;
	set(SC_REG_SIMP, 0x1000 | SC_SIMP_ENABLE);
	assert_false(wake(MS + MARGIN));
	assert_true(timer()->pending);
	set(SC_REG_SIMP, PAGE | SC_SIMP_ENABLE);
	assert_true(wake(0));
	assert_int_equal(slot()->type, SC_MESSAGE_TIMER_EXPIRED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(message_comes_with_its_interrupt, set_up, tear_down),
		cmocka_unit_test_setup_teardown(busy_slot_waits_for_eom, set_up, tear_down),
		cmocka_unit_test_setup_teardown(active_interrupt_holds_the_message, set_up, tear_down),
		cmocka_unit_test_setup_teardown(polled_message_has_no_interrupt, set_up, tear_down),
		cmocka_unit_test_setup_teardown(masked_sint_waits, set_up, tear_down),
		cmocka_unit_test_setup_teardown(message_is_never_a_level, set_up, tear_down),
		cmocka_unit_test_setup_teardown(page_outside_memory_loses_nothing, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
