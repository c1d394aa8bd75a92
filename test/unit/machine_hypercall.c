/* SPDX-License-Identifier: BSD-2-Clause */
/* Register hypercalls from a vCPU's registers and guest memory to the core and back: both forms, and what they refuse.
 */
#include "unit.h"
#include "../fake/guest_call.h"
#include "../property/random.h"

#include "machine/hypercall.h"
#include "base/layout.h"

#include <errno.h>
#include <string.h>

#define MEMORY_SIZE (1ull << 20)
#define INPUT LAYOUT_RAM_BASE
#define OUTPUT (LAYOUT_RAM_BASE + 4096)
#define REPS(count, start) ((uint64_t)(count) << 32 | (uint64_t)(start) << 48)
#define GET SC_HVCALL_GET_VP_REGISTERS
#define SET SC_HVCALL_SET_VP_REGISTERS
#define STATUS(result) (SC_RESULT_STATUS_MASK & (result))
#define DONE(result) ((result) >> SC_RESULT_REPS_SHIFT & 0xfff)

static struct host_vm vm;
static struct memory memory;
static struct clock clock_;
static struct host_vcpu vcpu;
static struct error error;
static uint32_t effects;

static int set_up(void **state)
{
	(void)state;
	fake_reset();
	if (host_vm_create(&vm, FAKE_FUNCTIONS, &error) || memory_create(&memory, MEMORY_SIZE, &error) ||
	    host_vcpu_create(&vm, &vcpu, 0, true, &error) || clock_init(&clock_, &vm, &memory, 2, &error))
		return -1;
	clock_start(&clock_, SC_CLOCK_FREEZE, &error);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	clock_destroy(&clock_);
	host_vcpu_destroy(&vcpu);
	host_vm_destroy(&vm);
	memory_destroy(&memory);
	return 0;
}

static uint64_t x(uint32_t n)
{
	return fake_vcpu_register(&vcpu, FAKE_REGISTER_X0 + n);
}

/* X0 on are `values`; the result word. */
static uint64_t call(const uint64_t *values, uint32_t count)
{
	for (uint32_t n = 0; n < 31; n++)
		fake_vcpu_set_register(&vcpu, FAKE_REGISTER_X0 + n, n < count ? values[n] : 0xdead0000 + n);
	effects = 0;
	assert_int_equal(hypercall_handle(&clock_, &memory, &vcpu, (uint32_t)x(0), &effects), 0);
	return x(0);
}

static uint64_t fast(uint64_t control, uint32_t name, uint64_t value)
{
	const struct fake_exit exit = guest_exit(control, name, value);

	return call(exit.x, control == SC_CALL_SET_ONE ? 8 : 5);
}

static void expect_untouched(uint32_t first, uint32_t last)
{
	for (uint32_t n = first; n <= last; n++)
		assert_int_equal(x(n), 0xdead0000 + n);
}

/* What Linux does: one register, fast; the value of a GET is in X6 and X7. */
static void test_fast_one(void **state)
{
	(void)state;
	assert_int_equal(fast(SC_CALL_GET_ONE, SC_REG_SEACLOCK, 0), 1ull << SC_RESULT_REPS_SHIFT);
	assert_true(x(6) == SC_SEACLOCK_MAGIC);
	assert_int_equal(x(7), SC_SEACLOCK_HAS_GUEST_CLOCK | SC_SEACLOCK_HAS_HOLD);
	expect_untouched(8, 30);
	assert_int_equal(fast(SC_CALL_SET_ONE, SC_REG_GUEST_OS_ID, 0x77), 1ull << SC_RESULT_REPS_SHIFT);
	expect_untouched(8, 30);
	assert_int_equal(fast(SC_CALL_GET_ONE, SC_REG_GUEST_OS_ID, 0), 1ull << SC_RESULT_REPS_SHIFT);
	assert_int_equal(x(6), 0x77);
	assert_int_equal(effects, 0);
	fast(SC_CALL_SET_ONE, SC_REG_GUEST_CLOCK, SC_GUEST_CLOCK_DECLARED);
	assert_int_equal(effects, SC_EFFECT_GUEST_CLOCK);
}

/* Each access to a register is a system call: a timer is written by six, and read by seven. */
static void test_fast_cost(void **state)
{
	(void)state;
	fast(SC_CALL_SET_ONE, SC_REG_GUEST_OS_ID, 1);
	fake_vcpu_of(&vcpu)->accesses = 0;
	assert_int_equal(STATUS(fast(SC_CALL_SET_ONE, SC_REG_STIMER0_COUNT, 1)), SC_HV_SUCCESS);
	assert_int_equal(fake_vcpu_of(&vcpu)->accesses, 6);
	assert_int_equal(STATUS(fast(SC_CALL_GET_ONE, SC_REG_TIME_REF_COUNT, 0)), SC_HV_SUCCESS);
	assert_int_equal(fake_vcpu_of(&vcpu)->accesses, 6 + 7);
}

static void test_fast_refused(void **state)
{
	(void)state;
	assert_int_equal(STATUS(fast(SC_CALL_GET_ONE, 0x12345, 0)), SC_HV_UNKNOWN_REGISTER_NAME);
	expect_untouched(5, 30);
	assert_int_equal(STATUS(fast(SC_CALL_SET_ONE, SC_REG_TIME_REF_COUNT, 1)), SC_HV_INVALID_PARAMETER);
	assert_int_equal(STATUS(fast(SC_CALL_SET_ONE, SC_REG_REFERENCE_TSC, 1)), SC_HV_ACCESS_DENIED);
	assert_int_equal(STATUS(fast(SC_CALL_FAST | 0x99, 0, 0)), SC_HV_INVALID_HYPERCALL_CODE);
	expect_untouched(5, 30);
}

/* Two registers in one call: the input takes X2 to X5, rounded up to a pair, so the values start at X6. */
static void test_fast_two(void **state)
{
	const uint64_t values[] = { SC_HVC_FUNCTION_ID,
				    SC_CALL_FAST | GET | REPS(2, 0),
				    SC_PARTITION_ID_SELF,
				    0,
				    SC_REG_HYPERVISOR_VERSION | (uint64_t)SC_REG_SEACLOCK << 32,
				    0 };

	(void)state;
	assert_int_equal(call(values, 6), 2ull << SC_RESULT_REPS_SHIFT);
	assert_true(x(6) == 1ull << 48);
	assert_true(x(8) == SC_SEACLOCK_MAGIC);
	expect_untouched(10, 30);
}

/* ---- Memory form ---- */

static void put_header(uint64_t gpa)
{
	const struct sc_vp_registers_header header = { SC_PARTITION_ID_SELF, SC_VP_INDEX_SELF, 0, { 0 } };

	memcpy(memory_span(&memory, gpa, sizeof(header)), &header, sizeof(header));
}

static uint64_t slow(uint64_t control, uint64_t input, uint64_t output)
{
	const uint64_t values[] = { SC_HVC_FUNCTION_ID, control, input, output };

	return call(values, 4);
}

static bool dirty(uint64_t gpa)
{
	uint64_t bitmap[MEMORY_SIZE / 4096 / 64] = { 0 };

	memory_take_dirty(&memory, bitmap);
	return bitmap[0] >> (gpa - LAYOUT_RAM_BASE) / 4096 & 1;
}

static void test_memory_get(void **state)
{
	const uint32_t names[] = { SC_REG_HYPERVISOR_VERSION, SC_REG_SEACLOCK };
	uint64_t values[4];

	(void)state;
	put_header(INPUT);
	memcpy(memory_span(&memory, INPUT + 16, sizeof(names)), names, sizeof(names));
	assert_int_equal(slow(GET | REPS(2, 0), INPUT, OUTPUT), 2ull << SC_RESULT_REPS_SHIFT);
	assert_true(memory_read(&memory, OUTPUT, values, sizeof(values)));
	assert_true(values[0] == 1ull << 48);
	assert_true(values[2] == SC_SEACLOCK_MAGIC);
	assert_true(dirty(OUTPUT));
	expect_untouched(4, 30);
	/* From the second on: the first output is left alone. */
	memset(memory_span(&memory, OUTPUT, 32), 0x11, 32);
	assert_int_equal(slow(GET | REPS(2, 1), INPUT, OUTPUT), 2ull << SC_RESULT_REPS_SHIFT);
	memory_read(&memory, OUTPUT, values, sizeof(values));
	assert_true(values[0] == 0x1111111111111111u);
	assert_true(values[2] == SC_SEACLOCK_MAGIC);
}

/* It stops at the register that fails; what was completed before is written. */
static void test_memory_partly(void **state)
{
	const uint32_t names[] = { SC_REG_SEACLOCK, 0x12345, SC_REG_SEACLOCK };
	uint64_t values[6], result;

	(void)state;
	put_header(INPUT);
	memcpy(memory_span(&memory, INPUT + 16, sizeof(names)), names, sizeof(names));
	result = slow(GET | REPS(3, 0), INPUT, OUTPUT);
	assert_int_equal(STATUS(result), SC_HV_UNKNOWN_REGISTER_NAME);
	assert_int_equal(DONE(result), 1);
	memory_read(&memory, OUTPUT, values, sizeof(values));
	assert_true(values[0] == SC_SEACLOCK_MAGIC);
	assert_int_equal(values[2], 0);
	assert_int_equal(values[4], 0);
}

static void test_memory_set(void **state)
{
	const struct sc_set_vp_register elements[] = { { .name = SC_REG_GUEST_OS_ID, .value_low = 5 },
						       { .name = SC_REG_GUEST_CLOCK, .value_low = 7 } };

	(void)state;
	put_header(INPUT);
	memcpy(memory_span(&memory, INPUT + 16, sizeof(elements)), elements, sizeof(elements));
	assert_int_equal(slow(SET | REPS(2, 0), INPUT, 0), 2ull << SC_RESULT_REPS_SHIFT);
	assert_int_equal(clock_.partition.guest_os_id, 5);
	assert_int_equal(clock_.partition.guest_clock, 7);
	assert_int_equal(effects, SC_EFFECT_GUEST_CLOCK);
	assert_false(dirty(INPUT));
}

static void test_memory_bad_places(void **state)
{
	static const struct {
		uint64_t input, output, status;
	} cases[] = {
		{ INPUT + 1, OUTPUT, SC_HV_INVALID_ALIGNMENT },
		{ INPUT, OUTPUT + 4, SC_HV_INVALID_ALIGNMENT },
		{ INPUT + 4096 - 16, OUTPUT, SC_HV_INVALID_ALIGNMENT },
		{ INPUT, INPUT, SC_HV_INVALID_ALIGNMENT },
		{ 0, OUTPUT, SC_HV_INVALID_PARAMETER },
		{ LAYOUT_RAM_BASE - 4096, OUTPUT, SC_HV_INVALID_PARAMETER },
		{ LAYOUT_RAM_BASE + MEMORY_SIZE, OUTPUT, SC_HV_INVALID_PARAMETER },
		{ INPUT, 0, SC_HV_INVALID_PARAMETER },
		{ INPUT, LAYOUT_RAM_BASE + MEMORY_SIZE, SC_HV_INVALID_PARAMETER },
		{ UINT64_MAX - 4095, OUTPUT, SC_HV_INVALID_PARAMETER },
		{ INPUT, UINT64_MAX - 4095, SC_HV_INVALID_PARAMETER },
	};

	(void)state;
	put_header(INPUT);
	for (size_t n = 0; n < ARRAY_SIZE(cases); n++) {
		assert_int_equal(slow(GET | REPS(1, 0), cases[n].input, cases[n].output), cases[n].status);
		expect_untouched(4, 30);
	}
}

/* The largest list that a page can hold. */
static void test_memory_full_page(void **state)
{
	uint32_t count = SC_HV_PAGE_SIZE / 16;
	uint64_t values[2];

	(void)state;
	put_header(INPUT);
	for (uint32_t n = 0; n < count; n++)
		memcpy(memory_span(&memory, INPUT + 16 + 4ull * n, 4), &(uint32_t){ SC_REG_SEACLOCK }, 4);
	assert_int_equal(slow(GET | REPS(count, 0), INPUT, OUTPUT), (uint64_t)count << SC_RESULT_REPS_SHIFT);
	memory_read(&memory, OUTPUT + 4096 - 16, values, sizeof(values));
	assert_true(values[0] == SC_SEACLOCK_MAGIC);
	assert_int_equal(slow(GET | REPS(count + 1, 0), INPUT, OUTPUT), SC_HV_INVALID_ALIGNMENT);
	assert_int_equal(STATUS(slow(GET | REPS(0xfff, 0), INPUT, OUTPUT)), SC_HV_INVALID_ALIGNMENT);
}

/* KVM fails in the middle: the caller hears of it. */
static void test_host_fails(void **state)
{
	const struct fake_exit get = guest_exit(SC_CALL_GET_ONE, SC_REG_SEACLOCK, 0);

	(void)state;
	for (uint32_t n = 0; n < 2; n++)
		for (uint32_t skip = 0; skip < 3; skip++) {
			memcpy(&fake_vcpu_of(&vcpu)->registers[FAKE_REGISTER_X0], get.x, sizeof(get.x));
			fake_fail(fake_host_current(), n ? FAKE_SET_X : FAKE_GET_X, skip, 1, EIO);
			assert_int_equal(hypercall_handle(&clock_, &memory, &vcpu, (uint32_t)x(0), &effects), -EIO);
		}
	assert_int_equal(hypercall_refuse(&vcpu), 0);
	assert_true(x(0) == UINT64_MAX);
}

/* Any control word and any registers: no access outside the buffers, X18 and above never change, one status each. */
static void test_random(void **state)
{
	struct random random = random_start();

	(void)state;
	for (int round = 0; round < 30000; round++) {
		uint64_t values[18] = { SC_HVC_FUNCTION_ID };

		values[1] = (random_chance(&random, 2) ? GET : SET) | (random_next(&random) & SC_CALL_FAST) |
			    REPS(random_between(&random, 0, 9), random_between(&random, 0, 4));
		if (random_chance(&random, 8))
			values[1] ^= random_wide(&random);
		for (uint32_t n = 2; n < 18; n++)
			values[n] = random_chance(&random, 2) ? random_wide(&random)
							      : LAYOUT_RAM_BASE + random_between(&random, 0, 2048) * 8;
		if (values[1] & SC_CALL_FAST && random_chance(&random, 2)) {
			values[2] = SC_PARTITION_ID_SELF;
			values[3] = SC_VP_INDEX_SELF;
			values[4] = SC_REG_STIMER0_CONFIG + random_between(&random, 0, 8);
		}
		call(values, 18);
		expect_untouched(18, 30);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(test_fast_one),	     TEST(test_fast_cost),
		TEST(test_fast_refused),     TEST(test_fast_two),
		TEST(test_memory_get),	     TEST(test_memory_partly),
		TEST(test_memory_set),	     TEST(test_memory_bad_places),
		TEST(test_memory_full_page), TEST(test_host_fails),
		TEST(test_random),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
