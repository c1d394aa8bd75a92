/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the tests of guest time start from: a clock of two vCPUs on a fake host, a guest's calls, and the timer thread's
 * work. Policy: time moves only when a test says so, so that every expectation is exact.
 */
#ifndef CLOCK_FIXTURE_H
#define CLOCK_FIXTURE_H

#include "unit.h"
#include "../fake/guest_call.h"

#include "machine/clock.h"
#include "base/layout.h"

#include <errno.h>
#include <poll.h>
#include <string.h>

#define MEMORY_SIZE (1ull << 20)
#define PAGE (LAYOUT_RAM_BASE + 3 * 4096)
#define INTID 31u
#define MS 1000000ull
#define REFS(ns) ((ns) / SC_REF_NS)
#define DIRECT (SC_STIMER_DIRECT | SC_STIMER_AUTO_ENABLE | (uint64_t)INTID << SC_STIMER_INTID_SHIFT)

static struct fake_host host;
static struct host_vm vm;
static struct memory memory;
static struct clock clock_;
static struct error error;

static inline int set_up(void **state)
{
	(void)state;
	fake_reset();
	/* A host that has been up for a day, or whose counter is about to wrap: the offset must not care. */
	host = fake_host_make(25000000, *state ? UINT64_MAX - 1000 : 25000000ull * 86400);
	fake_host_use(&host);
	if (host_vm_create(&vm, FAKE_FUNCTIONS, &error) || memory_create(&memory, MEMORY_SIZE, &error))
		return -1;
	return clock_init(&clock_, &vm, &memory, 2, &error);
}

static inline int tear_down(void **state)
{
	(void)state;
	clock_destroy(&clock_);
	host_vm_destroy(&vm);
	memory_destroy(&memory);
	return 0;
}

/* What the guest sees in CNTVCT_EL0. */
static inline uint64_t guest_counter(void)
{
	return host_counter().v - fake_vm_of(&vm)->offset;
}

static inline uint64_t reference(void)
{
	return clock_reference(&clock_).v;
}

/* R may be a unit below its exact value, or above it after a start. */
static inline void expect_reference(uint64_t want)
{
	assert_in_range(reference(), want ? want - 1 : 0, want + 1);
}

static inline uint64_t set(uint32_t vcpu, uint32_t name, uint64_t value)
{
	const struct sc_vp_registers_header header = { SC_PARTITION_ID_SELF, SC_VP_INDEX_SELF, 0, { 0 } };
	const struct sc_set_vp_register element = { .name = name, .value_low = value };
	struct sc_call_outcome outcome;
	uint64_t input[6], output[2];
	struct sc_call call;

	memcpy(input, &header, sizeof(header));
	memcpy(input + 2, &element, sizeof(element));
	assert_int_equal(sc_call_decode(SC_CALL_SET_ONE, 0, 0, &call), SC_HV_SUCCESS);
	clock_hypercall(&clock_, vcpu, &call, input, output, &outcome);
	return outcome.result & SC_RESULT_STATUS_MASK;
}

static inline void start(uint64_t declared)
{
	assert_int_equal(clock_start(&clock_, SC_CLOCK_FREEZE, &error), 0);
	assert_int_equal(set(0, SC_REG_GUEST_OS_ID, 1), SC_HV_SUCCESS);
	assert_int_equal(set(0, SC_REG_REFERENCE_TSC, PAGE | SC_REFERENCE_TSC_ENABLE), SC_HV_SUCCESS);
	assert_int_equal(set(0, SC_REG_GUEST_CLOCK, declared), SC_HV_SUCCESS);
}

static inline bool timer_readable(void)
{
	struct pollfd item = { .fd = clock_.timer, .events = POLLIN };

	return poll(&item, 1, 0) == 1;
}

/* What the machine's timer thread does, without waiting. */
static inline void serve_timer(void)
{
	if (!timer_readable())
		return;
	clock_expire(&clock_);
	if (clock_needs_latch(&clock_))
		clock_latch(&clock_);
}

/* Lets time pass, and a little more, for a timer is never early but may be two units late. */
static inline void pass(uint64_t ns)
{
	fake_time_advance(ns);
	for (int n = 0; n < 3; n++) {
		fake_time_advance(SC_REF_NS);
		serve_timer();
	}
}

static inline bool line(uint32_t vcpu)
{
	return fake_vm_of(&vm)->level[vcpu] >> INTID & 1;
}

static inline uint32_t latched(uint32_t vcpu)
{
	return fake_vm_of(&vm)->latched[vcpu][INTID];
}

#endif
