/* SPDX-License-Identifier: BSD-2-Clause */
/* The bus: who answers, what nobody answers, which tables are refused. */
#include "unit.h"

#include "dev/bus.h"

#include <errno.h>
#include <string.h>

/* A device that remembers the last access, and reads as a pattern. */
struct probe {
	uint64_t offset;
	uint64_t value;
	unsigned int length;
	unsigned int accesses;
};

static uint64_t probe_read(void *device, uint64_t offset, unsigned int length)
{
	struct probe *probe = device;

	*probe = (struct probe){ offset, 0, length, probe->accesses + 1 };
	return 0x8877665544332211;
}

static void probe_write(void *device, uint64_t offset, unsigned int length, uint64_t value)
{
	struct probe *probe = device;

	*probe = (struct probe){ offset, value, length, probe->accesses + 1 };
}

static const struct bus_ops ops = { probe_read, probe_write };

static int add(struct bus *bus, uint64_t base, uint64_t size, struct probe *probe)
{
	return bus_add(bus, &(struct bus_region){ base, size, &ops, probe });
}

static void test_read(void **state)
{
	static const uint8_t expected[4][8] = {
		{ 0x11 },
		{ 0x11, 0x22 },
		{ 0x11, 0x22, 0x33, 0x44 },
		{ 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88 },
	};
	struct bus bus = { 0 };
	struct probe probe = { 0 };
	uint8_t data[8];

	(void)state;
	assert_int_equal(add(&bus, 0x1000, 0x1000, &probe), 0);
	for (unsigned int i = 0; i < 4; i++) {
		memset(data, 0xff, sizeof(data));
		assert_int_equal(bus_access(&bus, 0x1008, 1u << i, false, data), 0);
		assert_memory_equal(data, expected[i], 8);
		assert_int_equal(probe.offset, 8);
		assert_int_equal(probe.length, 1u << i);
	}
}

static void test_write(void **state)
{
	struct bus bus = { 0 };
	struct probe probe = { 0 };
	uint8_t data[8] = { 1, 2, 3, 4, 5, 6, 7, 8 };

	(void)state;
	assert_int_equal(add(&bus, 0x1000, 0x1000, &probe), 0);
	assert_int_equal(bus_access(&bus, 0x1ffc, 4, true, data), 0);
	assert_int_equal(probe.offset, 0xffc);
	assert_int_equal(probe.value, 0x04030201);
	assert_int_equal(bus_access(&bus, 0x1000, 8, true, data), 0);
	assert_true(probe.value == 0x0807060504030201);
	assert_int_equal(data[7], 8);
}

static void test_unclaimed(void **state)
{
	static const struct {
		uint64_t gpa;
		unsigned int length;
	} accesses[] = {
		{ 0xffc, 4 },  { 0x2000, 1 }, { 0x1002, 4 }, { 0x1001, 2 },	    { 0x1004, 8 },
		{ 0x1000, 0 }, { 0x1000, 3 }, { 0x1000, 9 }, { 0x1000, 16 },	    { 0, 8 },
		{ 0x3000, 8 }, { 0x3008, 8 }, { 0x3004, 8 }, { UINT64_MAX - 7, 8 }, { UINT64_MAX, 1 },
	};
	struct bus bus = { 0 };
	struct probe probe = { 0 };

	(void)state;
	assert_int_equal(add(&bus, 0x1000, 0x1000, &probe), 0);
	assert_int_equal(add(&bus, 0x3000, 4, &probe), 0);
	for (size_t i = 0; i < ARRAY_SIZE(accesses); i++) {
		static const uint8_t zeroes[8];
		uint8_t data[8];

		memset(data, 0xff, sizeof(data));
		assert_int_equal(bus_access(&bus, accesses[i].gpa, accesses[i].length, true, data), -ENXIO);
		assert_int_equal(data[0], 0xff);
		assert_int_equal(bus_access(&bus, accesses[i].gpa, accesses[i].length, false, data), -ENXIO);
		assert_memory_equal(data, zeroes, 8);
	}
	assert_int_equal(probe.accesses, 0);
}

static void test_the_right_device(void **state)
{
	struct bus bus = { 0 };
	struct probe probes[3] = { { 0 } };
	uint8_t data[8];

	(void)state;
	assert_int_equal(add(&bus, 0x2000, 0x1000, &probes[0]), 0);
	assert_int_equal(add(&bus, 0x1000, 0x1000, &probes[1]), 0);
	assert_int_equal(add(&bus, UINT64_MAX - 0xfff, 0x1000, &probes[2]), 0);
	bus_access(&bus, 0x1ffc, 4, false, data);
	bus_access(&bus, UINT64_MAX, 1, false, data);
	assert_int_equal(probes[0].accesses, 0);
	assert_int_equal(probes[1].accesses, 1);
	assert_int_equal(probes[2].accesses, 1);
	assert_int_equal(probes[2].offset, 0xfff);
}

static void test_refused_regions(void **state)
{
	struct bus bus = { 0 };

	(void)state;
	assert_int_equal(add(&bus, 0x1000, 0, NULL), -EINVAL);
	assert_int_equal(add(&bus, UINT64_MAX, 2, NULL), -EINVAL);
	assert_int_equal(add(&bus, 0x1000, 0x1000, NULL), 0);
	assert_int_equal(add(&bus, 0x1000, 0x1000, NULL), -EEXIST);
	assert_int_equal(add(&bus, 0x1fff, 1, NULL), -EEXIST);
	assert_int_equal(add(&bus, 0, 0x1001, NULL), -EEXIST);
	assert_int_equal(add(&bus, 0, UINT64_MAX, NULL), -EEXIST);
	assert_int_equal(add(&bus, 0x1400, 0x10, NULL), -EEXIST);
	assert_int_equal(add(&bus, 0, 0x1000, NULL), 0);
	assert_int_equal(add(&bus, 0x2000, 0x1000, NULL), 0);
	assert_int_equal(bus.count, 3);
}

static void test_full_table(void **state)
{
	struct bus bus = { 0 };

	(void)state;
	for (uint64_t i = 0; i < BUS_REGIONS_MAX; i++)
		assert_int_equal(add(&bus, i << 12, 0x1000, NULL), 0);
	assert_int_equal(add(&bus, 1ull << 32, 0x1000, NULL), -ENOSPC);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_read),
		cmocka_unit_test(test_write),
		cmocka_unit_test(test_unclaimed),
		cmocka_unit_test(test_the_right_device),
		cmocka_unit_test(test_refused_regions),
		cmocka_unit_test(test_full_table),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
