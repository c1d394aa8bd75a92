/* SPDX-License-Identifier: BSD-2-Clause */
/* Options of the command line: see the header. */
#include "command/option.h"

#include <assert.h>
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Of one verb. */
#define OPTIONS_MAX 32

/* What getopt_long() returns for --help, and for option 0: no characters. */
#define OPTION_FOUND_HELP 256
#define OPTION_FIRST 257

/* ---- Values ---- */

static int number_store(const struct option_spec *option, const char *text, uint32_t *number, struct error *error)
{
	unsigned long long value;
	char *end;

	errno = 0;
	value = strtoull(text, &end, 10);
	if (errno || *text < '0' || *text > '9' || *end || value < option->low || value > option->high)
		return error_set(error, EINVAL, "--%s takes a number from %u to %u, not `%.100s`", option->name,
				 option->low, option->high, text);
	*number = (uint32_t)value;
	return 0;
}

static int choice_refuse(const struct option_spec *option, const char *text, struct error *error)
{
	const char *last = strrchr(option->value, '|'), *bar = strchr(option->value, '|');

	/* There are two words, or three. */
	if (bar == last)
		return error_set(error, EINVAL, "--%s takes %.*s or %s, not `%.100s`", option->name,
				 (int)(bar - option->value), option->value, last + 1, text);
	return error_set(error, EINVAL, "--%s takes %.*s, %.*s or %s, not `%.100s`", option->name,
			 (int)(bar - option->value), option->value, (int)(last - bar - 1), bar + 1, last + 1, text);
}

static int choice_store(const struct option_spec *option, const char *text, const char **word, struct error *error)
{
	const char *choice = option->value;
	size_t length = strlen(text);

	while (strcspn(choice, "|") != length || memcmp(choice, text, length) != 0) {
		choice = strchr(choice, '|');
		if (!choice)
			return choice_refuse(option, text, error);
		choice++;
	}
	*word = text;
	return 0;
}

static int list_store(const struct option_spec *option, const char *text, struct option_list *list, struct error *error)
{
	assert(option->high <= OPTION_LIST_MAX);
	if (list->count == option->high)
		return error_set(error, EINVAL, "--%s can be given %u times at most", option->name, option->high);
	list->text[list->count++] = text;
	return 0;
}

static int option_store(const struct option_spec *option, const char *text, void *options, struct error *error)
{
	void *place = (char *)options + option->offset;

	switch (option->kind) {
	case OPTION_KIND_FLAG:
		*(bool *)place = true;
		return 0;
	case OPTION_KIND_TEXT:
	case OPTION_KIND_MAYBE_TEXT:
		*(const char **)place = text;
		return 0;
	case OPTION_KIND_NUMBER:
		return number_store(option, text, place, error);
	case OPTION_KIND_CHOICE:
		return choice_store(option, text, place, error);
	case OPTION_KIND_LIST:
		return list_store(option, text, place, error);
	}
	return -EINVAL;
}

/* ---- The command line ---- */

static int argument_of(const struct option_spec *option)
{
	switch (option->kind) {
	case OPTION_KIND_FLAG:
		return no_argument;
	case OPTION_KIND_MAYBE_TEXT:
		return optional_argument;
	default:
		return required_argument;
	}
}

/* An option that getopt_long() has found. It takes a word that may be missing only behind `=`. */
static int option_take(const struct option_spec *option, int argc, char **argv, void *options, struct error *error)
{
	if (option->kind != OPTION_KIND_MAYBE_TEXT || optarg)
		return option_store(option, optarg, options, error);
	return option_store(option, optind < argc && argv[optind][0] != '-' ? argv[optind++] : "", options, error);
}

static void table_translate(const struct option_spec *table, struct option long_options[OPTIONS_MAX + 2])
{
	int count = 0;

	for (const struct option_spec *option = table; option->name; option++) {
		assert(count < OPTIONS_MAX);
		long_options[count] = (struct option){
			.name = option->name,
			.has_arg = argument_of(option),
			.val = OPTION_FIRST + count,
		};
		count++;
	}
	long_options[count] = (struct option){ .name = "help", .has_arg = no_argument, .val = OPTION_FOUND_HELP };
	long_options[count + 1] = (struct option){ .name = NULL };
}

/* getopt_long() has returned `found`: `:` for a missing value, `?` for anything else that is wrong. */
static int option_refuse(const struct option_spec *table, int found, char **argv, struct error *error)
{
	if (found == ':')
		return error_set(error, EINVAL, "--%s needs a value", table[optopt - OPTION_FIRST].name);
	if (optopt >= OPTION_FOUND_HELP)
		return error_set(error, EINVAL, "--%s takes no value",
				 optopt == OPTION_FOUND_HELP ? "help" : table[optopt - OPTION_FIRST].name);
	if (optopt)
		return error_set(error, EINVAL, "%s takes no -%c", argv[0], optopt);
	return error_set(error, EINVAL, "%s takes no %.*s", argv[0], (int)strcspn(argv[optind - 1], "="),
			 argv[optind - 1]);
}

int option_parse(const struct option_spec *table, int argc, char **argv, void *options, struct error *error)
{
	struct option long_options[OPTIONS_MAX + 2];
	struct error later;
	bool help = false;
	int found, wrong = 0;

	table_translate(table, long_options);
	optind = 0; /* a new command line */
	opterr = 0;
	while ((found = getopt_long(argc, argv, ":", long_options, NULL)) != -1) {
		struct error *place = wrong ? &later : error;
		int result = 0;

		if (found == OPTION_FOUND_HELP)
			help = true;
		else if (found < OPTION_FIRST)
			result = option_refuse(table, found, argv, place);
		else
			result = option_take(&table[found - OPTION_FIRST], argc, argv, options, place);
		wrong = wrong ? wrong : result;
	}
	if (help)
		return OPTION_HELP;
	return wrong ? wrong : optind;
}

bool option_flag(const struct option_spec *table, const char *name, const void *options)
{
	for (const struct option_spec *option = table; option->name; option++)
		if (option->kind == OPTION_KIND_FLAG && !strcmp(option->name, name))
			return *(const bool *)((const char *)options + option->offset);
	return false;
}

void option_usage(const struct option_spec *option, char text[OPTION_USAGE_MAX])
{
	bool needed = option->place == OPTION_NEEDED;

	bool maybe = option->kind == OPTION_KIND_MAYBE_TEXT;

	snprintf(text, OPTION_USAGE_MAX, "%s--%s%s%s%s%s%s%s", needed ? "" : "[", option->name,
		 option->value ? " " : "", maybe ? "[" : "", option->value ? option->value : "", maybe ? "]" : "",
		 needed ? "" : "]", option->kind == OPTION_KIND_LIST ? "..." : "");
}
