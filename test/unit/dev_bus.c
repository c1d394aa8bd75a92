/* SPDX-License-Identifier: BSD-2-Clause */
/* The bus: who answers, what nobody answers, which tables are refused. */
#include "unit.h"

#include "dev/bus.h"

#include <errno.h>
#include <string.h>

/* A device that remembers the last access, and reads as a pattern. */
struct probe {
	struct device device;
	uint64_t offset;
	uint64_t value;
	unsigned int length;
	unsigned int accesses;
};

static void probe_note(struct device *device, uint64_t offset, unsigned int length, uint64_t value)
{
	struct probe *probe = (struct probe *)device;

	probe->offset = offset;
	probe->length = length;
	probe->value = value;
	probe->accesses++;
}

static uint64_t probe_read(struct device *device, uint64_t offset, unsigned int length)
{
	probe_note(device, offset, length, 0);
	return 0x8877665544332211;
}

static const struct device_ops ops = { .name = "probe", .read = probe_read, .write = probe_note };

static int add(struct bus *bus, uint64_t base, uint64_t size, struct probe *probe)
{
	probe->device = (struct device){ .ops = &ops, .base = base, .size = size };
	lock_init(&probe->device.lock, LOCK_DEVICE);
	return bus_add(bus, &probe->device);
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
	struct probe probe = { .accesses = 0 };
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
	struct probe probe = { .accesses = 0 };
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
	struct probe probe = { .accesses = 0 }, other = { .accesses = 0 };

	(void)state;
	assert_int_equal(add(&bus, 0x1000, 0x1000, &probe), 0);
	assert_int_equal(add(&bus, 0x3000, 4, &other), 0);
	for (size_t i = 0; i < ARRAY_SIZE(accesses); i++) {
		static const uint8_t zeroes[8];
		uint8_t data[8];

		memset(data, 0xff, sizeof(data));
		assert_int_equal(bus_access(&bus, accesses[i].gpa, accesses[i].length, true, data), -ENXIO);
		assert_int_equal(data[0], 0xff);
		assert_int_equal(bus_access(&bus, accesses[i].gpa, accesses[i].length, false, data), -ENXIO);
		assert_memory_equal(data, zeroes, 8);
	}
	assert_int_equal(probe.accesses + other.accesses, 0);
}

static void test_the_right_device(void **state)
{
	struct bus bus = { 0 };
	struct probe probes[3] = { { .accesses = 0 } };
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
	struct probe probes[10];
	struct bus bus = { 0 };

	(void)state;
	assert_int_equal(add(&bus, 0x1000, 0, &probes[0]), -EINVAL);
	assert_int_equal(add(&bus, UINT64_MAX, 2, &probes[1]), -EINVAL);
	assert_int_equal(add(&bus, 0x1000, 0x1000, &probes[2]), 0);
	assert_int_equal(add(&bus, 0x1000, 0x1000, &probes[3]), -EEXIST);
	assert_int_equal(add(&bus, 0x1fff, 1, &probes[4]), -EEXIST);
	assert_int_equal(add(&bus, 0, 0x1001, &probes[5]), -EEXIST);
	assert_int_equal(add(&bus, 0, UINT64_MAX, &probes[6]), -EEXIST);
	assert_int_equal(add(&bus, 0x1400, 0x10, &probes[7]), -EEXIST);
	assert_int_equal(add(&bus, 0, 0x1000, &probes[8]), 0);
	assert_int_equal(add(&bus, 0x2000, 0x1000, &probes[9]), 0);
	assert_int_equal(bus.count, 3);
}

static void test_full_table(void **state)
{
	struct probe probes[BUS_DEVICES_MAX + 1];
	struct bus bus = { 0 };

	(void)state;
	for (uint64_t i = 0; i < BUS_DEVICES_MAX; i++)
		assert_int_equal(add(&bus, i << 12, 0x1000, &probes[i]), 0);
	assert_int_equal(add(&bus, 1ull << 32, 0x1000, &probes[BUS_DEVICES_MAX]), -ENOSPC);
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
