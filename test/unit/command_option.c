/* SPDX-License-Identifier: BSD-2-Clause */
/* Options of the command line: each kind, with good values and bad ones, and what the usage makes of it. */
#include "unit.h"

#include "command/option.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define WORDS_MAX 12

struct boat {
	bool sails;
	const char *name;
	uint32_t crew;
	const char *clock;
	struct option_list cargo;
	const char *side;
	const char *watch;
	const char *flag;
};

static const struct option_spec table[] = {
	{ OPTION_TEXT("name", "TEXT", struct boat, name), .place = OPTION_NEEDED },
	{ OPTION_FLAG("sails", struct boat, sails) },
	{ OPTION_NUMBER("crew", "N", 2, 4000000000, struct boat, crew) },
	{ OPTION_POLICY("clock", struct boat, clock) },
	{ OPTION_LIST("cargo", "ITEM", 3, struct boat, cargo) },
	{ OPTION_CHOICE("side", "port|starboard", struct boat, side) },
	{ OPTION_CHOICE("watch", "first|middle|morning", struct boat, watch) },
	{ OPTION_MAYBE_TEXT("flag", "NATION", struct boat, flag) },
	{ .name = NULL },
};

static struct boat boat;
static char *words[WORDS_MAX + 1];
static struct error error;

/* The words, separated by one blank each, after the verb. */
static int parse(const char *line)
{
	static char copy[256];
	int count = 0;

	boat = (struct boat){ .name = "unnamed", .crew = 7 };
	snprintf(copy, sizeof(copy), "row%s%s", *line ? " " : "", line);
	for (char *word = strtok(copy, " "); word; word = strtok(NULL, " "))
		words[count++] = word;
	words[count] = NULL;
	return option_parse(table, count, words, &boat, &error);
}

static void test_defaults(void **state)
{
	(void)state;
	assert_int_equal(parse(""), 1);
	assert_string_equal(boat.name, "unnamed");
	assert_int_equal(boat.crew, 7);
	assert_false(boat.sails);
	assert_null(boat.clock);
	assert_int_equal(boat.cargo.count, 0);
}

static void test_values(void **state)
{
	(void)state;
	assert_int_equal(parse("--name argo --sails --crew 50 --clock advance"), 8);
	assert_string_equal(boat.name, "argo");
	assert_true(boat.sails);
	assert_int_equal(boat.crew, 50);
	assert_string_equal(boat.clock, "advance");
	assert_int_equal(parse("--name=argo --crew=4000000000 --name=pequod"), 4);
	assert_string_equal(boat.name, "pequod");
	assert_int_equal(boat.crew, 4000000000);
	assert_int_equal(parse("--side port"), 3);
	assert_string_equal(boat.side, "port");
	assert_int_equal(parse("--side starboard"), 3);
	assert_string_equal(boat.side, "starboard");
	assert_int_equal(parse("--watch middle"), 3);
	assert_string_equal(boat.watch, "middle");
	assert_int_equal(parse("--watch morning"), 3);
	assert_string_equal(boat.watch, "morning");
	assert_int_equal(parse("--crew 2"), 3);
	assert_int_equal(boat.crew, 2);
}

/* With a word, or without. */
static void test_maybe(void **state)
{
	(void)state;
	assert_int_equal(parse(""), 1);
	assert_null(boat.flag);
	assert_int_equal(parse("here --flag nl --sails there"), 4);
	assert_string_equal(boat.flag, "nl");
	assert_true(boat.sails);
	assert_string_equal(words[4], "here");
	assert_string_equal(words[5], "there");
	assert_int_equal(parse("--flag=pt here"), 2);
	assert_string_equal(boat.flag, "pt");
	assert_int_equal(parse("--flag --sails"), 3);
	assert_string_equal(boat.flag, "");
	assert_true(boat.sails);
	assert_int_equal(parse("here --flag"), 2);
	assert_string_equal(boat.flag, "");
	assert_string_equal(words[2], "here");
}

/* Before, between and after the options; and what looks like one after `--`. */
static void test_words(void **state)
{
	(void)state;
	assert_int_equal(parse("here --sails there --crew 3"), 4);
	assert_string_equal(words[4], "here");
	assert_string_equal(words[5], "there");
	assert_null(words[6]);
	assert_true(boat.sails);
	assert_int_equal(boat.crew, 3);
	assert_int_equal(parse("-- --sails"), 2);
	assert_string_equal(words[2], "--sails");
	assert_false(boat.sails);
}

static void test_list(void **state)
{
	(void)state;
	assert_int_equal(parse("--cargo salt port --cargo tin --cargo=salt"), 6);
	assert_int_equal(boat.cargo.count, 3);
	assert_string_equal(boat.cargo.text[0], "salt");
	assert_string_equal(boat.cargo.text[1], "tin");
	assert_string_equal(boat.cargo.text[2], "salt");
	assert_string_equal(words[6], "port");
	assert_int_equal(parse("--cargo a --cargo b --cargo c --cargo d"), -EINVAL);
	assert_string_equal(error.text, "--cargo can be given 3 times at most");
}

static void test_bad(void **state)
{
	static const struct {
		const char *line, *sentence;
	} cases[] = {
		{ "--crew 1", "--crew takes a number from 2 to 4000000000, not `1`" },
		{ "--crew 4000000001", "--crew takes a number from 2 to 4000000000, not `4000000001`" },
		{ "--crew 99999999999999999999",
		  "--crew takes a number from 2 to 4000000000, not `99999999999999999999`" },
		{ "--crew -3", "--crew takes a number from 2 to 4000000000, not `-3`" },
		{ "--crew +3", "--crew takes a number from 2 to 4000000000, not `+3`" },
		{ "--crew 0x3", "--crew takes a number from 2 to 4000000000, not `0x3`" },
		{ "--crew 3x", "--crew takes a number from 2 to 4000000000, not `3x`" },
		{ "--crew=", "--crew takes a number from 2 to 4000000000, not ``" },
		{ "--clock back", "--clock takes advance or freeze, not `back`" },
		{ "--side lee", "--side takes port or starboard, not `lee`" },
		{ "--side por", "--side takes port or starboard, not `por`" },
		{ "--side portside", "--side takes port or starboard, not `portside`" },
		{ "--side star", "--side takes port or starboard, not `star`" },
		{ "--side port|starboard", "--side takes port or starboard, not `port|starboard`" },
		{ "--side=", "--side takes port or starboard, not ``" },
		{ "--watch mid", "--watch takes first, middle or morning, not `mid`" },
		{ "--watch first|middle", "--watch takes first, middle or morning, not `first|middle`" },
		{ "--crew", "--crew needs a value" },
		{ "--cargo", "--cargo needs a value" },
		{ "--sails=yes", "--sails takes no value" },
		{ "--oars", "row takes no --oars" },
		{ "--oars=4", "row takes no --oars" },
		{ "here --c", "row takes no --c" }, /* several begin so */
		{ "-x", "row takes no -x" },
		{ "-xy", "row takes no -x" },
	};

	(void)state;
	for (size_t n = 0; n < ARRAY_SIZE(cases); n++) {
		assert_int_equal(parse(cases[n].line), -EINVAL);
		assert_string_equal(error.text, cases[n].sentence);
		assert_string_equal(error_code(&error), "invalid");
	}
}

/* Whatever else is wrong, and not behind `--`. */
static void test_help(void **state)
{
	(void)state;
	assert_int_equal(parse("--help"), OPTION_HELP);
	assert_int_equal(parse("here --oars --crew x --help"), OPTION_HELP);
	assert_int_equal(parse("--name --help"), 3);
	assert_string_equal(boat.name, "--help");
	assert_int_equal(parse("-- --help"), 2);
	assert_int_equal(parse("--help=me"), -EINVAL);
	assert_string_equal(error.text, "--help takes no value");
}

/* The first is told, and the others count. */
static void test_several_bad(void **state)
{
	(void)state;
	assert_int_equal(parse("--crew 1 --oars --sails --side lee"), -EINVAL);
	assert_string_equal(error.text, "--crew takes a number from 2 to 4000000000, not `1`");
	assert_true(boat.sails);
}

static void test_flag(void **state)
{
	(void)state;
	assert_int_equal(parse("--sails"), 2);
	assert_true(option_flag(table, "sails", &boat));
	assert_false(option_flag(table, "json", &boat));
	assert_false(option_flag(table, "name", &boat));
	assert_int_equal(parse(""), 1);
	assert_false(option_flag(table, "sails", &boat));
}

static void test_usage(void **state)
{
	static const char *const usages[] = {
		"--name TEXT",
		"[--sails]",
		"[--crew N]",
		"[--clock advance|freeze]",
		"[--cargo ITEM]...",
		"[--side port|starboard]",
		"[--watch first|middle|morning]",
		"[--flag [NATION]]",
	};
	char text[OPTION_USAGE_MAX];

	(void)state;
	for (size_t n = 0; n < ARRAY_SIZE(usages); n++) {
		option_usage(&table[n], text);
		assert_string_equal(text, usages[n]);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_defaults), cmocka_unit_test(test_values),	     cmocka_unit_test(test_words),
		cmocka_unit_test(test_list),	 cmocka_unit_test(test_bad),	     cmocka_unit_test(test_flag),
		cmocka_unit_test(test_help),	 cmocka_unit_test(test_several_bad), cmocka_unit_test(test_usage),
		cmocka_unit_test(test_maybe),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
