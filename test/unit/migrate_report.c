/* SPDX-License-Identifier: BSD-2-Clause */
/* The report of a migration: what travels comes back as it was, what cannot be is refused, and how it reads. */
#include "unit.h"
#include "../property/random.h"

#include "migrate/report.h"

#include <errno.h>
#include <string.h>

static const struct report sample = {
	.name = "boat",
	.id = { { 0x01, 0xab } },
	.from_hz = 25000000,
	.to_hz = 1000000000,
	.policy = SC_CLOCK_FREEZE,
	.level = SC_LEVEL_REFERENCE,
	.rounds = 4,
	.bytes = 123456789,
	.downtime_ns = 15500000,
	.parts = { .pages = 1500000, .state = 2000000, .transfer = 3000000, .load = 4000000, .resume = 5000000 },
	.gap_ns = 12000000,
	.stated_bound_ns = 98765,
	.round_trip_ns = 150000,
	.age_ns = 7000000,
	.rate_known = true,
	.rate = { .ppb = -2500, .bound_ppb = 700 },
	.input_size = 3,
	.input = "ls\r",
};

static void test_travels(void **state)
{
	struct buffer buffer = { 0 };
	struct report back;
	struct cursor cursor;
	struct error error;

	(void)state;
	report_put(&buffer, &sample);
	assert_true(buffer.size <= FRAME_CALL_MAX);
	cursor = cursor_make(buffer.data, buffer.size);
	assert_int_equal(report_get(&cursor, &back, &error), 0);
	assert_memory_equal(&back, &sample, sizeof(back));
	for (size_t size = 0; size < buffer.size; size++) {
		cursor = cursor_make(buffer.data, size);
		assert_int_equal(report_get(&cursor, &back, &error), -EPROTO);
	}
	buffer_put_u8(&buffer, 0);
	cursor = cursor_make(buffer.data, buffer.size);
	assert_int_equal(report_get(&cursor, &back, &error), -EPROTO);
	assert_string_equal(error.text, "the other side's report is damaged");
	buffer_free(&buffer);
}

/* The longest name still fits into the frame. */
static void test_longest(void **state)
{
	struct report report = sample;
	struct buffer buffer = { 0 };

	(void)state;
	memset(report.name, 'x', NAME_SIZE - 1);
	report.input_size = UART_LATE_INPUT_MAX;
	report_put(&buffer, &report);
	assert_true(buffer.size <= FRAME_CALL_MAX);
	buffer_free(&buffer);
}

static int get_changed(const struct report *report)
{
	struct buffer buffer = { 0 };
	struct report back;
	struct cursor cursor;
	struct error error;
	int result;

	report_put(&buffer, report);
	cursor = cursor_make(buffer.data, buffer.size);
	result = report_get(&cursor, &back, &error);
	buffer_free(&buffer);
	return result;
}

static void test_range(void **state)
{
	struct report report = sample;

	(void)state;
	report.gap_ns = 1ull << 62;
	assert_int_equal(get_changed(&report), 0);
	report.gap_ns++;
	assert_int_equal(get_changed(&report), -EPROTO);
	report = sample;
	report.parts.resume = UINT64_MAX;
	assert_int_equal(get_changed(&report), -EPROTO);
	report = sample;
	report.policy = SC_CLOCK_FREEZE + 1;
	assert_int_equal(get_changed(&report), -EPROTO);
	report = sample;
	report.rate.ppb = INT64_MIN;
	assert_int_equal(get_changed(&report), -EPROTO);
	report = sample;
	report.rate.bound_ppb = UINT64_MAX;
	assert_int_equal(get_changed(&report), -EPROTO);
	report = sample;
	memcpy(report.name, "../x", 5);
	assert_int_equal(get_changed(&report), -EPROTO);
}

/* Whatever a damaged one holds: if it is taken it can be written as JSON. */
static void test_random_damage(void **state)
{
	struct random random = random_start();
	struct buffer buffer = { 0 };
	int taken = 0;

	(void)state;
	for (int round = 0; round < 5000; round++) {
		struct report back;
		struct cursor cursor;
		struct error error;

		buffer_clear(&buffer);
		report_put(&buffer, &sample);
		buffer.data[random_between(&random, 0, buffer.size - 1)] = (uint8_t)random_next(&random);
		cursor = cursor_make(buffer.data, buffer.size);
		if (!report_get(&cursor, &back, &error)) {
			json_t *json = report_json(&back);

			taken++;
			assert_non_null(json);
			json_decref(json);
		}
	}
	assert_in_range(taken, 1, 4999);
	buffer_free(&buffer);
}

static double number(const json_t *json, const char *key)
{
	assert_true(json_is_number(json_object_get(json, key)));
	return json_number_value(json_object_get(json, key));
}

static void test_json(void **state)
{
	struct report report = sample;
	json_t *json = report_json(&report), *parts = json_object_get(json, "parts_ms");

	(void)state;
	assert_string_equal(json_string_value(json_object_get(json, "name")), "boat");
	assert_string_equal(json_string_value(json_object_get(json, "id")), "01ab0000000000000000000000000000");
	assert_string_equal(json_string_value(json_object_get(json, "policy")), "freeze");
	assert_string_equal(json_string_value(json_object_get(json, "level")), "reference");
	assert_true(number(json, "from_hz") == 25000000 && number(json, "to_hz") == 1000000000);
	assert_true(number(json, "downtime_ms") == 15.5);
	assert_true(number(parts, "pages") == 1.5 && number(parts, "state") == 2 && number(parts, "transfer") == 3 &&
		    number(parts, "load") == 4 && number(parts, "resume") == 5);
	assert_true(number(json, "intended_step_ns") == -12000000);
	assert_true(number(json, "stated_bound_ns") == 98765 && number(json, "round_trip_ns") == 150000);
	assert_true(number(json, "age_ns") == 7000000);
	assert_true(number(json, "rate_ppm") == -2.5 && number(json, "rate_ppm_bound") == 0.7);
	json_decref(json);
	report.policy = SC_CLOCK_ADVANCE;
	report.rate_known = false;
	json = report_json(&report);
	assert_true(number(json, "intended_step_ns") == 0);
	assert_true(json_is_null(json_object_get(json, "rate_ppm")));
	assert_true(json_is_null(json_object_get(json, "rate_ppm_bound")));
	json_decref(json);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_travels),	      cmocka_unit_test(test_longest), cmocka_unit_test(test_range),
		cmocka_unit_test(test_random_damage), cmocka_unit_test(test_json),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
