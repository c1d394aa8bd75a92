/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The test vectors that other implementations check themselves by: the core still gives every result in the file, and
 * the file has cases of every function.
 *
 * Policy: the file changes only where a result was wrong, or where a case is new; `make vectors` writes it.
 */
#include "../vectors/vector.h"

#include <string.h>

#include "unit.h"

#define FILE_NAME "test/vectors/vectors.json"

static json_t *file;

static int set_up(void **state)
{
	json_error_t error;

	(void)state;
	file = json_load_file(FILE_NAME, JSON_REJECT_DUPLICATES, &error);
	if (!file)
		print_error("%s: line %d: %s\n", FILE_NAME, error.line, error.text);
	return file ? 0 : -1;
}

static int tear_down(void **state)
{
	(void)state;
	json_decref(file);
	return 0;
}

static void print_case(const char *what, const json_t *value)
{
	char *text = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);

	print_error("%s: %s\n", what, text ? text : "nothing");
	free(text);
}

/* True if the core gives what the case says. */
static bool holds(const json_t *one)
{
	const char *name = json_string_value(json_object_get(one, "function"));
	const json_t *out = json_object_get(one, "out");
	const struct vector_function *function = vector_find(name);
	json_t *seen = function ? vector_evaluate(function, json_object_get(one, "in")) : NULL;
	bool equal = seen && json_equal(seen, out);

	if (!equal) {
		print_case("case", one);
		print_case("the core gives", seen);
	}
	json_decref(seen);
	return equal;
}

static void test_every_case_holds(void **state)
{
	const json_t *cases = json_object_get(file, "cases"), *one;
	size_t i, failed = 0;

	(void)state;
	assert_int_equal(json_integer_value(json_object_get(file, "format")), 1);
	assert_true(json_array_size(cases) > 0);
	json_array_foreach(cases, i, one) failed += !holds(one);
	assert_int_equal(failed, 0);
}

static size_t count_cases(const char *function)
{
	const json_t *one;
	size_t i, count = 0;

	json_array_foreach(json_object_get(file, "cases"), i, one) count +=
		strcmp(json_string_value(json_object_get(one, "function")), function) == 0;
	return count;
}

static void test_every_function_has_cases(void **state)
{
	(void)state;
	for (const struct vector_function *function = vector_functions; function->name; function++)
		if (!count_cases(function->name))
			fail_msg("%s has no case of %s", FILE_NAME, function->name);
}

/* What sc_muldiv() gives for an `a` in JSON; false if it is refused. */
static bool takes(const char *a, uint64_t *result)
{
	json_t *in = json_loads("{\"b\": \"1\", \"divisor\": \"1\"}", 0, NULL), *out;
	struct vector vector = { 0 };
	bool taken;

	json_object_set_new(in, "a", json_loads(a, JSON_DECODE_ANY, NULL));
	out = vector_evaluate(vector_find("sc_muldiv"), in);
	taken = out && field_decode(vector_find("sc_muldiv")->out, out, &vector);
	*result = vector.result;
	json_decref(in);
	json_decref(out);
	return taken;
}

static void test_numbers_are_whole(void **state)
{
	uint64_t result;

	(void)state;
	assert_true(takes("\"18446744073709551615\"", &result));
	assert_true(result == UINT64_MAX);
	assert_false(takes("\"18446744073709551616\"", &result));
	assert_false(takes("\"-1\"", &result));
	assert_false(takes("\"\"", &result));
	assert_false(takes("\"7x\"", &result));
	assert_false(takes("7", &result));
	assert_false(takes("{}", &result));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_case_holds),
		cmocka_unit_test(test_every_function_has_cases),
		cmocka_unit_test(test_numbers_are_whole),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
