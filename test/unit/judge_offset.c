/* SPDX-License-Identifier: BSD-2-Clause */
/* The offset estimates of many migrations together: what passes, that each fault fails its own criterion, and what is
 * reported. */
#include "unit.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../lab/judge/offset_summary.h"

#define HALF 20
#define US 1000

static const int64_t rates[] = { 25000000, 62500000, 100000000, 1000000000 };
/* Every ordered pair of them once, and round again. */
static const size_t walk[] = { 1, 0, 2, 0, 3, 1, 2, 1, 3, 2, 3, 0 };

static struct offset_set set;
static struct run runs[OFFSET_LOADS];

static struct migration *migration_of(int number)
{
	return &set.offsets[number].migration;
}

/* Steps of 10 us to 29 us, bounds of 400 us from round trips of 700 us and an age of 0.24 s. */
static void run_fill(struct run *run, int load)
{
	memset(run, 0, sizeof(*run));
	run->manifest.has_memory_load = load;
	run->migration_count = HALF;
	for (int i = 0; i < 4; i++)
		snprintf(run->manifest.hosts[i].name, sizeof(run->manifest.hosts[i].name), "host%d", i);
	for (int i = 0; i < HALF; i++) {
		size_t number = (size_t)(load * HALF + i), from = number ? walk[(number - 1) % 12] : 0;
		size_t to = walk[number % 12];

		run->migrations[i] = (struct migration){
			.from = &run->manifest.hosts[from],
			.to = &run->manifest.hosts[to],
			.step = { .size = (i % 2 ? 1 : -1) * (10 + i) * US, .uncertainty = 60 * US },
			.report = { .from_hz = rates[from],
				    .to_hz = rates[to],
				    .bound_ns = 400 * US,
				    .round_trip_ns = 700 * US,
				    .age_ns = 240000 * US,
				    .downtime_ms = 50 + i },
		};
	}
}

static int set_up(void **state)
{
	(void)state;
	memset(&set, 0, sizeof(set));
	for (int load = 0; load < OFFSET_LOADS; load++) {
		run_fill(&runs[load], load);
		assert_true(offset_add(&set, &runs[load]));
	}
	/* What the set keeps must not point into the runs. */
	memset(runs, 0xff, sizeof(runs));
	return 0;
}

static char *verdict(bool *passed)
{
	char *text;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	*passed = offset_verdict(&set, 20, out);
	fclose(out);
	return text;
}

static void test_good_set(void **state)
{
	bool passed;
	char *text = verdict(&passed);

	(void)state;
	assert_true(passed);
	assert_null(strstr(text, "FAIL"));
	free(text);
}

/* Exactly one criterion fails, the one that begins so. */
static void check_fails(const char *criterion)
{
	bool passed;
	char *text = verdict(&passed);
	const char *failed = strstr(text, "FAIL ");

	assert_false(passed);
	assert_non_null(failed);
	assert_memory_equal(failed + 5, criterion, strlen(criterion));
	assert_null(strstr(failed + 5, "FAIL"));
	free(text);
	set_up(NULL);
}

static void test_each_fault(void **state)
{
	(void)state;
	set.count--;
	check_fails("migrations: 20 idle, 19 under memory load");
	for (size_t i = 0; i < set.count; i++)
		if (migration_of((int)i)->report.to_hz == rates[3])
			migration_of((int)i)->report.to_hz = rates[2];
	check_fails("migrations: ");
	migration_of(33)->step.size = 341 * US;
	check_fails("true steps");
	migration_of(33)->step.size = -341 * US;
	check_fails("true steps");
	migration_of(2)->step.uncertainty = 400 * US;
	check_fails("true steps");
	migration_of(2)->report.intended_step_ns = -400 * US;
	check_fails("true steps");
	migration_of(39)->report.bound_ns = 400 * US + 5;
	check_fails("stated bounds");
	for (int i = 0; i < HALF; i++) {
		migration_of(i)->report.bound_ns = 1000 * US;
		migration_of(i)->report.round_trip_ns = 2000 * US;
	}
	check_fails("median bound");
	for (int i = 0; i < HALF; i++)
		migration_of(i)->step.size = (i % 2 ? 1 : -1) * 150 * US;
	check_fails("median true step");
}

static void test_what_is_allowed(void **state)
{
	bool passed;

	(void)state;
	migration_of(3)->step.size = -340 * US;
	migration_of(4)->report.bound_ns = offset_bound_limit(&migration_of(4)->report);
	/* Under load the medians are not held against anything. */
	for (int i = HALF; i < 2 * HALF; i++) {
		migration_of(i)->report.round_trip_ns = 5000 * US;
		migration_of(i)->report.bound_ns = 2500 * US;
	}
	char *text = verdict(&passed);

	assert_true(passed);
	free(text);
}

static void test_limit(void **state)
{
	const struct report report = { .round_trip_ns = 700001, .age_ns = 999900000 };

	(void)state;
	assert_int_equal(offset_bound_limit(&report), 350000 + 200000 + 2000);
}

static void test_spread(void **state)
{
	struct offset_spread spread = offset_spread(&set, OFFSET_IDLE, OFFSET_STEP);

	(void)state;
	assert_int_equal(spread.count, HALF);
	assert_int_equal(spread.least, 10 * US);
	assert_int_equal(spread.median, 19 * US);
	assert_int_equal(spread.most, 29 * US);
	assert_int_equal(offset_spread(&set, OFFSET_MEMORY, OFFSET_DOWNTIME).most, 69 * US);
	set.count = HALF;
	assert_int_equal(offset_spread(&set, OFFSET_MEMORY, OFFSET_STEP).count, 0);
}

static void test_room(void **state)
{
	(void)state;
	run_fill(&runs[0], 0);
	while (OFFSET_MAX - set.count >= HALF)
		assert_true(offset_add(&set, &runs[0]));
	assert_false(offset_add(&set, &runs[0]));
	assert_in_range(set.count, OFFSET_MAX - HALF + 1, OFFSET_MAX);
}

static void test_json(void **state)
{
	static const char *const numbers[] = { "from_hz", "to_hz",  "true_step_ns", "stated_bound_ns",
					       "rtt_ns",  "age_ns", "downtime_ms" };
	char *text;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	(void)state;
	assert_int_equal(offset_write_json(&set, out), 0);
	fclose(out);
	json_t *object = json_loads(text, 0, NULL);
	const json_t *migrations = json_object_get(object, "migrations");

	assert_int_equal(json_array_size(migrations), 2 * HALF);
	for (size_t i = 0; i < 2 * HALF; i++) {
		const json_t *migration = json_array_get(migrations, i);

		for (size_t n = 0; n < ARRAY_SIZE(numbers); n++)
			assert_true(json_is_number(json_object_get(migration, numbers[n])));
		assert_string_equal(json_string_value(json_object_get(migration, "load")),
				    i < HALF ? "idle" : "memory");
	}
	assert_string_equal(json_string_value(json_object_get(json_array_get(migrations, 0), "to")), "host1");
	json_decref(object);
	free(text);
}

static size_t lines_of(void (*write)(const struct offset_set *set, FILE *out))
{
	size_t size, lines = 0;
	char *text;
	FILE *out = open_memstream(&text, &size);

	write(&set, out);
	fclose(out);
	for (size_t i = 0; i < size; i++)
		lines += text[i] == '\n';
	free(text);
	return lines;
}

static void test_tables(void **state)
{
	(void)state;
	assert_int_equal(lines_of(offset_write_data), 2 * HALF);
	assert_int_equal(lines_of(offset_write_table), 1 + OFFSET_LOADS * OFFSET_QUANTITIES);
}

#define TEST(name) cmocka_unit_test_setup(name, set_up)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_good_set), TEST(test_each_fault), TEST(test_what_is_allowed),
		TEST(test_limit),    TEST(test_spread),	    TEST(test_room),
		TEST(test_json),     TEST(test_tables),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
