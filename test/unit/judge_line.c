/* SPDX-License-Identifier: BSD-2-Clause */
/* Console lines: what is taken, what is left alone, and what is refused as damaged. */
#include "judge_fixture.h"

#include "../../lab/judge/line.h"
#include "../guest/probe_line.h"

static enum line_result parse(struct line *line, const char *text)
{
	return line_parse(line, text, strlen(text));
}

static enum line_result parse_summed(struct line *line, const char *prefix, const char *text)
{
	static struct fixture_text fixture;

	fixture = (struct fixture_text){ 0 };
	fixture_raw(&fixture, prefix);
	fixture_line(&fixture, text);
	return line_parse(line, fixture.bytes, fixture.length - 1);
}

static void takes_a_line(void **state)
{
	struct line line;
	int64_t number;

	(void)state;
	assert_int_equal(parse_summed(&line, "", "@sample hz=25000000 ptp=-3 name=x"), LINE_TAKEN);
	assert_string_equal(line.kind, "@sample");
	assert_int_equal(line.count, 3);
	assert_string_equal(line_text(&line, "name"), "x");
	assert_null(line_text(&line, "nam"));
	assert_true(line_number(&line, "hz", 1, 25000000, &number));
	assert_int_equal(number, 25000000);
	assert_false(line_number(&line, "hz", 1, 24999999, &number));
	assert_false(line_number(&line, "hz", 25000001, INT64_MAX, &number));
	assert_true(line_number(&line, "ptp", -3, -3, &number));
	assert_false(line_number(&line, "name", INT64_MIN, INT64_MAX, &number));
	assert_false(line_number(&line, "none", INT64_MIN, INT64_MAX, &number));
}

static void takes_what_the_probe_writes(void **state)
{
	char text[LINE_MAX_LENGTH];
	struct line line;
	size_t length = line_format(text, sizeof(text), "@reads n0=1 n1=2");

	(void)state;
	assert_int_equal(line_parse(&line, text, length - 1), LINE_TAKEN);
	assert_int_equal(line_format(text, 10, "@reads n0=1 n1=2"), 0);
}

static void reads_numbers_to_their_limits(void **state)
{
	struct line line;
	int64_t number;
	uint64_t count;

	(void)state;
	parse_summed(&line, "", "@x a=9223372036854775807 b=9223372036854775808 c=18446744073709551615 d=1x e= f=+1");
	assert_true(line_number(&line, "a", 0, INT64_MAX, &number));
	assert_false(line_number(&line, "b", 0, INT64_MAX, &number));
	assert_true(line_count(&line, "c", &count));
	assert_true(count == UINT64_MAX);
	assert_false(line_number(&line, "d", 0, INT64_MAX, &number));
	assert_false(line_number(&line, "e", 0, INT64_MAX, &number));
	assert_false(line_number(&line, "f", 0, INT64_MAX, &number));
	assert_false(line_count(&line, "d", &count));
	parse_summed(&line, "", "@x c=18446744073709551616 n=-1");
	assert_false(line_count(&line, "c", &count));
	assert_false(line_count(&line, "n", &count));
}

static void takes_a_line_behind_a_kernel_message(void **state)
{
	struct line line;

	(void)state;
	assert_int_equal(parse_summed(&line, "[    1.2] mail@example.org", "@done"), LINE_TAKEN);
	assert_string_equal(line.kind, "@done");
	assert_int_equal(line.count, 0);
}

static void leaves_other_lines_alone(void **state)
{
	static const char *const others[] = { "", "\r", "[    0.0] Booting Linux", "[    0.0] mail@example.org" };
	struct line line;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(others); i++)
		assert_int_equal(parse(&line, others[i]), LINE_OTHER);
}

static void refuses_damage(void **state)
{
	static const char *const damaged[] = {
		"@",	       "@sample",     "@sample hz=1", "@sample hz=1 *0000", "@done *",
		"@done *zzzz", "@done *0X1f", "@guest x",     "@guest =x",
	};
	struct line line;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(damaged); i++)
		assert_int_equal(parse(&line, damaged[i]), LINE_DAMAGED);
	assert_int_equal(parse_summed(&line, "", "@sample hz"), LINE_DAMAGED);
	assert_int_equal(parse_summed(&line, "", "@sample =1"), LINE_DAMAGED);
	assert_int_equal(parse_summed(&line, "", "@ a=1"), LINE_DAMAGED);
	assert_int_equal(parse_summed(&line, "", "@sample a=\x01"), LINE_DAMAGED);
	assert_int_equal(
		parse_summed(&line, "", "@x a=1 a=1 a=1 a=1 a=1 a=1 a=1 a=1 a=1 a=1 a=1 a=1 a=1 a=1 a=1 a=1 a=1"),
		LINE_DAMAGED);
}

static void refuses_a_line_that_is_too_long(void **state)
{
	char text[LINE_TEXT_MAX + 20];
	struct line line;

	(void)state;
	memset(text, 'a', sizeof(text));
	memcpy(text, "@x y=", 5);
	text[sizeof(text) - 1] = '\0';
	assert_int_equal(parse_summed(&line, "", text), LINE_DAMAGED);
}

static void sees_every_single_lost_character(void **state)
{
	static const char text[] = "@sample hz=25000000 ptp=1795364234123456789 mono=12345678901";
	struct fixture_text fixture = { 0 };
	struct line line;

	(void)state;
	fixture_line(&fixture, text);
	for (size_t lost = 1; lost < sizeof(text) - 1; lost++) {
		char cut[LINE_TEXT_MAX];
		size_t rest = fixture.length - lost - 1;

		memcpy(cut, fixture.bytes, lost);
		memcpy(cut + lost, fixture.bytes + lost + 1, rest);
		assert_int_equal(line_parse(&line, cut, fixture.length - 2), LINE_DAMAGED);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(takes_a_line),
		cmocka_unit_test(takes_what_the_probe_writes),
		cmocka_unit_test(reads_numbers_to_their_limits),
		cmocka_unit_test(takes_a_line_behind_a_kernel_message),
		cmocka_unit_test(leaves_other_lines_alone),
		cmocka_unit_test(refuses_damage),
		cmocka_unit_test(refuses_a_line_that_is_too_long),
		cmocka_unit_test(sees_every_single_lost_character),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
