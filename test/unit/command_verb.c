/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The verbs: their tables can be used, and the manual page has each verb in its synopsis with the options that it
 * takes, and no others.
 */
#include "unit.h"

#include "command/verb.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define DOCUMENT "doc/seaclock.1"
#define TEXT_SIZE 65536

static char manual[TEXT_SIZE];

/* Hyphens stand there as \-. */
static int read_manual(void **state)
{
	FILE *file = fopen(DOCUMENT, "r");
	size_t size = 0;
	int c;

	(void)state;
	if (!file)
		return -1;
	while ((c = fgetc(file)) != EOF && size < sizeof(manual) - 1)
		if (c != '\\')
			manual[size++] = (char)c;
	return fclose(file);
}

static const struct option_spec *option_find(const struct verb *verb, const char *name, size_t length)
{
	for (const struct option_spec *option = verb->table; option->name; option++)
		if (strlen(option->name) == length && !strncmp(option->name, name, length))
			return option;
	return NULL;
}

/* One form of a verb in the synopsis: each option is one of the table. Marks those that were seen. */
static void expect_options(const struct verb *verb, const char *form, const char *end, bool *seen)
{
	for (const char *place = form; (place = strstr(place, "--")) && place < end; place++) {
		const char *name = place + 2;
		size_t length = strspn(name, "abcdefghijklmnopqrstuvwxyz-");
		const struct option_spec *option = option_find(verb, name, length);

		if (!option)
			fail_msg("%s: %s takes no --%.*s", DOCUMENT, verb->name, (int)length, name);
		seen[option - verb->table] = true;
	}
}

static void expect_verb(const struct verb *verb)
{
	bool seen[32] = { false };
	char start[64];
	size_t length = (size_t)snprintf(start, sizeof(start), "\n.B seaclock %s", verb->name);
	int forms = 0;

	for (const char *form = manual; (form = strstr(form, start)); form++) {
		if (form[length] != '\n' && form[length] != ' ')
			continue;
		expect_options(verb, form, strstr(form, "\n.br"), seen);
		forms++;
	}
	assert_int_equal(forms, verb->form ? 2 : 1);
	for (const struct option_spec *option = verb->table; option->name; option++)
		if (!seen[option - verb->table])
			fail_msg("%s: the synopsis of %s has no --%s", DOCUMENT, verb->name, option->name);
}

static void test_synopsis(void **state)
{
	const struct verb *verb;

	(void)state;
	for (size_t n = 0; (verb = verb_at(n)); n++)
		expect_verb(verb);
	assert_true(verb_find("run") == &verb_run);
	assert_null(verb_find("sail"));
}

/* Each option has a paragraph. */
static void test_paragraphs(void **state)
{
	const char *section = strstr(manual, "\n.SH OPTIONS\n");
	const struct verb *verb;

	(void)state;
	assert_non_null(section);
	for (size_t n = 0; (verb = verb_at(n)); n++)
		for (const struct option_spec *option = verb->table; option->name; option++) {
			char name[64];

			snprintf(name, sizeof(name), "--%s", option->name);
			if (!strstr(option->place == OPTION_APART ? manual : section, name))
				fail_msg("%s has no paragraph on --%s", DOCUMENT, option->name);
		}
}

/* The usage of one verb is from its name to the next verb. */
static void expect_usage(const char *usage, const struct verb *verb)
{
	char start[64], text[OPTION_USAGE_MAX];
	const char *place, *end;

	snprintf(start, sizeof(start), " seaclock %s", verb->name);
	place = strstr(usage, start);
	assert_non_null(place);
	end = strstr(place + 1, " seaclock ");
	for (const struct option_spec *option = verb->table; option->name; option++) {
		option_usage(option, text);
		if (option->place == OPTION_APART)
			continue;
		if (!strstr(place, text) || (end && strstr(place, text) > end))
			fail_msg("the usage of %s has no %s", verb->name, text);
	}
}

static void test_usage(void **state)
{
	const struct verb *verb;
	char *text = NULL;
	size_t size;
	FILE *file = open_memstream(&text, &size);

	(void)state;
	verb_print_usage(NULL, file);
	fclose(file);
	for (size_t n = 0; (verb = verb_at(n)); n++)
		expect_usage(text, verb);
	assert_non_null(strstr(text, "usage: seaclock run NAME [--config FILE] [--kernel FILE] [--initrd FILE] "));
	assert_non_null(strstr(text, " [--sandbox on|strict|off]\n       seaclock receive [NAME] "));
	assert_non_null(strstr(text, "\n       seaclock migrate --cancel NAME [--json]\n"));
	for (const char *line = text; *line; line += strcspn(line, "\n") + 1)
		assert_true(strcspn(line, "\n") <= 100);
	free(text);
}

static void test_words(void **state)
{
	char *words[] = { "a", "b", "c", NULL };
	struct error error;

	(void)state;
	assert_int_equal(verb_check_words(&verb_restore, 0, words + 3, &error), -EINVAL);
	assert_string_equal(error.text, "restore needs FILE [NAME]");
	assert_int_equal(verb_check_words(&verb_restore, 1, words + 2, &error), 0);
	assert_int_equal(verb_check_words(&verb_restore, 2, words + 1, &error), 0);
	assert_int_equal(verb_check_words(&verb_restore, 3, words, &error), -EINVAL);
	assert_string_equal(error.text, "restore takes no further word `c`");
}

/* A line of a table has a field of its own; and defaults are those of a struct that holds them all. */
static void test_tables(void **state)
{
	const struct verb *verb;

	(void)state;
	for (size_t n = 0; (verb = verb_at(n)); n++) {
		assert_true(verb->words_min <= verb->words_max);
		assert_non_null(verb->defaults);
		for (const struct option_spec *option = verb->table; option->name; option++) {
			assert_true(option->offset < verb->size);
			for (const struct option_spec *other = verb->table; other < option; other++)
				assert_true(other->offset != option->offset && strcmp(other->name, option->name) != 0);
		}
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_synopsis), cmocka_unit_test(test_paragraphs), cmocka_unit_test(test_usage),
		cmocka_unit_test(test_words),	 cmocka_unit_test(test_tables),
	};

	return cmocka_run_group_tests(tests, read_manual, NULL);
}
