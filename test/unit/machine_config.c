/* SPDX-License-Identifier: BSD-2-Clause */
/* A machine's description: what is taken and what is refused, with the sentence, whole, cut short and damaged. */
#include "unit.h"
#include "../property/random.h"

#include "base/layout.h"
#include "machine/config.h"

#include <errno.h>
#include <string.h>

#include <seaclock/core.h>

static const struct machine_config good = {
	.name = "n", .vcpus = 2, .memory_size = LAYOUT_RAM_MIN, .address_bits = 40
};

static int travel(const struct machine_config *config, struct machine_config *back, struct error *error)
{
	struct buffer buffer = { 0 };
	int result;

	config_put(&buffer, config);
	assert_true(buffer.size <= CONFIG_SIZE_MAX);
	result = config_get(buffer.data, buffer.size, back, error);
	buffer_free(&buffer);
	return result;
}

static void test_travels(void **state)
{
	static const struct {
		uint32_t vcpus;
		uint64_t memory_size;
		const char *sentence; /* part of it; NULL: taken */
	} cases[] = {
		{ 1, LAYOUT_RAM_MIN, NULL },
		{ SC_VCPU_MAX, LAYOUT_RAM_MAX, NULL },
		{ 1, LAYOUT_RAM_MIN + LAYOUT_RAM_UNIT, NULL },
		{ 0, LAYOUT_RAM_MIN, "the guest has 0 vCPUs; 1 to 8 are possible" },
		{ 9, LAYOUT_RAM_MIN, "the guest has 9 vCPUs" },
		{ UINT32_MAX, LAYOUT_RAM_MIN, "the guest has 4294967295 vCPUs" },
		{ 1, 0, "0 bytes of memory" },
		{ 1, LAYOUT_RAM_MIN - LAYOUT_RAM_UNIT, "bytes of memory" },
		{ 1, LAYOUT_RAM_MIN + 4096, "bytes of memory" },
		{ 1, LAYOUT_RAM_MAX + LAYOUT_RAM_UNIT, "bytes of memory" },
		{ 1, UINT64_MAX, "18446744073709551615 bytes of memory" },
	};

	(void)state;
	for (size_t n = 0; n < ARRAY_SIZE(cases); n++) {
		struct machine_config config = good, back;
		struct error error = { .text = "" };

		config.vcpus = cases[n].vcpus;
		config.memory_size = cases[n].memory_size;
		assert_int_equal(travel(&config, &back, &error), cases[n].sentence ? -EPROTO : 0);
		if (cases[n].sentence) {
			assert_non_null(strstr(error.text, cases[n].sentence));
			continue;
		}
		assert_string_equal(back.name, config.name);
		assert_int_equal(back.vcpus, config.vcpus);
		assert_true(back.memory_size == config.memory_size);
		assert_int_equal(back.address_bits, config.address_bits);
	}
}

static void test_damage(void **state)
{
	struct buffer buffer = { 0 };
	struct machine_config back;
	struct error error;

	(void)state;
	config_put(&buffer, &good);
	for (size_t size = 0; size < buffer.size; size++) {
		assert_int_equal(config_get(buffer.data, size, &back, &error), -EPROTO);
		assert_string_equal(error.text, "the machine's description is damaged");
	}
	buffer_put_u8(&buffer, 0);
	assert_int_equal(config_get(buffer.data, buffer.size, &back, &error), -EPROTO);
	assert_string_equal(error.text, "the guest has memory or devices that this version does not know");
	buffer_free(&buffer);
}

/* Whatever a damaged description holds: if it is taken, all of it is in range. */
static void test_random_damage(void **state)
{
	struct random random = random_start();
	struct buffer buffer = { 0 };

	(void)state;
	for (int round = 0; round < 20000; round++) {
		struct machine_config back;
		struct error error;

		buffer_clear(&buffer);
		config_put(&buffer, &good);
		for (uint64_t n = random_between(&random, 1, 3); n; n--)
			buffer.data[random_between(&random, 0, buffer.size - 1)] = (uint8_t)random_next(&random);
		if (!config_get(buffer.data, buffer.size, &back, &error))
			assert_int_equal(config_check(&back, &error), 0);
	}
	buffer_free(&buffer);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_travels),
		cmocka_unit_test(test_damage),
		cmocka_unit_test(test_random_damage),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
