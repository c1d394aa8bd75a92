/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * `status` as OpenMetrics: by a strict reading of the format, whatever the list has in it, and with the values that the
 * statuses have.
 */
#include "unit.h"

#include "command/openmetrics.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char *text;

static void print_list(const char *json)
{
	json_t *list = json_loads(json, 0, NULL);
	size_t size;
	FILE *to = open_memstream(&text, &size);

	assert_non_null(list);
	openmetrics_print(to, list);
	fclose(to);
	json_decref(list);
}

static int teardown(void **state)
{
	(void)state;
	free(text);
	text = NULL;
	return 0;
}

static void expect_line(const char *line)
{
	char whole[256];

	snprintf(whole, sizeof(whole), "\n%s\n", line);
	if (!strstr(text, whole))
		fail_msg("no line %s in:\n%s", line, text);
}

/* ---- The format ---- */

static const char *read_name(const char *at)
{
	assert_true(isalpha((unsigned char)*at) || *at == '_');
	while (isalnum((unsigned char)*at) || *at == '_')
		at++;
	return at;
}

/* {name="value",...}, where a value escapes what it has to. */
static const char *read_labels(const char *at)
{
	do {
		at = read_name(at + 1);
		assert_memory_equal(at, "=\"", 2);
		for (at += 2; *at != '"'; at++) {
			if (*at == '\\') {
				at++;
				assert_non_null(strchr("\\\"n", *at));
			}
			assert_true(*at && *at != '\n');
		}
		at++;
	} while (*at == ',');
	assert_int_equal(*at, '}');
	return at + 1;
}

/* A sample belongs to the family that was told last, with the suffix of its type. */
static void check_sample(const char *line, const char *family, const char *type)
{
	const char *end = read_name(line), *suffix = strcmp(type, "counter") != 0 ? "" : "_total";
	char name[160];
	char *rest;

	snprintf(name, sizeof(name), "%s%s", family, suffix);
	assert_int_equal(end - line, strlen(name));
	assert_memory_equal(line, name, strlen(name));
	if (*end == '{')
		end = read_labels(end);
	assert_int_equal(*end, ' ');
	strtod(end + 1, &rest);
	assert_true(rest > end + 1 && !*rest);
}

static void check_unit(const char *family, const char *unit)
{
	size_t length = strlen(family), tail = strlen(unit);

	assert_true(length > tail && family[length - tail - 1] == '_');
	assert_string_equal(family + length - tail, unit);
}

static void check_format(void)
{
	char *copy = strdup(text), *line, *rest = copy;
	char family[128] = "", type[32] = "", seen[4096] = "\n";

	assert_true(strlen(text) >= 6);
	assert_string_equal(text + strlen(text) - 6, "# EOF\n");
	for (line = strsep(&rest, "\n"); rest; line = strsep(&rest, "\n")) {
		char name[128], word[128], whole[160];

		if (sscanf(line, "# TYPE %127s %31s", name, word) == 2) {
			/* No family comes twice. */
			snprintf(whole, sizeof(whole), "\n%s\n", name);
			assert_null(strstr(seen, whole));
			strcat(seen, whole + 1);
			strcpy(family, name);
			strcpy(type, word);
		} else if (sscanf(line, "# UNIT %127s %127s", name, word) == 2) {
			assert_string_equal(name, family);
			check_unit(family, word);
		} else if (sscanf(line, "# HELP %127s %127s", name, word) == 2) {
			assert_string_equal(name, family);
		} else if (strcmp(line, "# EOF") == 0) {
			assert_string_equal(rest, "");
		} else {
			check_sample(line, family, type);
		}
	}
	free(copy);
}

/* ---- Tests ---- */

static void test_values(void **state)
{
	(void)state;
	print_list(
		"[{\"name\": \"web\", \"state\": \"paused\", \"level\": \"cooperative\", \"vcpus\": 2, \"memory_mib\": "
		"512, \"counter_hz\": 25000000, \"resets\": 3, \"migrations\": {\"arrived\": 1, \"failed\": 2}, "
		"\"last_migration\": {\"downtime_ms\": 41.5, \"gap_ns\": 52000000, \"intended_step_ns\": -52000000, "
		"\"stated_bound_ns\": 1500}, \"late_timers\": [{}, {}]}, {\"name\": \"db\", \"error\": \"silent\"}]");
	check_format();
	assert_memory_equal(text, "# TYPE seaclock_up gauge\n", 25);
	expect_line("seaclock_up{machine=\"web\"} 1");
	expect_line("seaclock_up{machine=\"db\"} 0");
	expect_line("seaclock_state{machine=\"web\",seaclock_state=\"paused\"} 1");
	expect_line("seaclock_state{machine=\"web\",seaclock_state=\"running\"} 0");
	expect_line("seaclock_level{machine=\"web\",seaclock_level=\"cooperative\"} 1");
	expect_line("seaclock_memory_bytes{machine=\"web\"} 536870912");
	expect_line("seaclock_counter_hertz{machine=\"web\"} 25000000");
	expect_line("seaclock_resets_total{machine=\"web\"} 3");
	expect_line("seaclock_migrations_total{machine=\"web\",result=\"arrived\"} 1");
	expect_line("seaclock_migrations_total{machine=\"web\",result=\"failed\"} 2");
	expect_line("seaclock_migration_downtime_seconds{machine=\"web\"} 0.0415");
	expect_line("seaclock_migration_gap_seconds{machine=\"web\"} 0.052");
	expect_line("seaclock_clock_step_seconds{machine=\"web\"} -0.052");
	expect_line("seaclock_clock_bound_seconds{machine=\"web\"} 1.5e-06");
	expect_line("seaclock_late_timers{machine=\"web\"} 2");
	assert_null(strstr(text, "vcpus{machine=\"db\""));
}

/* A monitor that a guest has taken over may say anything. */
static void test_hostile(void **state)
{
	static const char *const lists[] = {
		"[]",
		"[1, null, [], {}, {\"name\": 5}]",
		"[{\"name\": \"a\\\"b\\\\c\\nd\", \"state\": 1, \"vcpus\": \"2\", \"late_timers\": 7, \"migrations\": "
		"[]}]",
		"[{\"name\": \"a\", \"level\": \"# EOF\", \"resets\": -1e300, \"last_migration\": {\"gap_ns\": {}}}]",
	};

	(void)state;
	for (size_t n = 0; n < sizeof(lists) / sizeof(lists[0]); n++) {
		print_list(lists[n]);
		check_format();
		teardown(state);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(test_values, teardown),
		cmocka_unit_test(test_hostile),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
