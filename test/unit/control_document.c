/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * doc/control.md against the code: the same commands, each with the same fields of the same types, and the same codes.
 *
 * Policy: what is compared stands in the document at the start of a line, as "### `command`", "| `field` | type |" and,
 * under "## Errors", "| `code` |".
 */
#include "unit.h"

#include "base/error.h"
#include "control/request.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DOCUMENT "doc/control.md"
#define WORDS_MAX 64
#define WORD_SIZE 64

struct words {
	char word[WORDS_MAX][WORD_SIZE];
	size_t count;
};

static char *document;

static int read_document(void **state)
{
	static char text[65536];
	FILE *file = fopen(DOCUMENT, "r");

	(void)state;
	if (!file)
		return -1;
	text[fread(text, 1, sizeof(text) - 1, file)] = '\0';
	document = text;
	return fclose(file);
}

static void words_add(struct words *words, const char *text, size_t length)
{
	assert_true(words->count < WORDS_MAX && length < WORD_SIZE);
	memcpy(words->word[words->count], text, length);
	words->word[words->count++][length] = '\0';
}

static bool words_have(const struct words *words, const char *word)
{
	for (size_t n = 0; n < words->count; n++)
		if (!strcmp(words->word[n], word))
			return true;
	return false;
}

static int word_compare(const void *one, const void *other)
{
	return strcmp(one, other);
}

static void expect_same(struct words *code, struct words *text)
{
	for (size_t n = 0; n < code->count; n++)
		if (!words_have(text, code->word[n]))
			fail_msg("%s does not tell of %s", DOCUMENT, code->word[n]);
	for (size_t n = 0; n < text->count; n++)
		if (!words_have(code, text->word[n]))
			fail_msg("%s tells of %s, which is not so", DOCUMENT, text->word[n]);
	qsort(text->word, text->count, WORD_SIZE, word_compare);
	for (size_t n = 1; n < text->count; n++)
		if (!strcmp(text->word[n - 1], text->word[n]))
			fail_msg("%s tells of %s twice", DOCUMENT, text->word[n]);
}

/* The words in backticks that follow `start` at the beginnings of lines, from one heading to the next of its kind. */
static struct words words_under(const char *heading, const char *end, const char *start)
{
	const char *place = strstr(document, heading), *stop;
	struct words words = { .count = 0 };

	if (!place)
		fail_msg("%s has no %s", DOCUMENT, heading);
	stop = strstr(place + 1, end);
	while ((place = strstr(place + 1, start)) && (!stop || place < stop)) {
		const char *word = place + strlen(start);

		words_add(&words, word, strcspn(word, "`"));
	}
	return words;
}

static void test_commands(void **state)
{
	struct words code = { .count = 0 }, text = words_under("\n## Requests\n", "\n## ", "\n### `");
	const struct request_command *command;

	(void)state;
	for (size_t n = 0; (command = request_command_at(n)); n++)
		words_add(&code, command->name, strlen(command->name));
	expect_same(&code, &text);
}

/* As the table has it. */
static void field_type(const struct request_field *field, char type[WORD_SIZE])
{
	switch (field->kind) {
	case REQUEST_TEXT:
		strcpy(type, "text");
		break;
	case REQUEST_FLAG:
		strcpy(type, "flag");
		break;
	case REQUEST_NUMBER:
		snprintf(type, WORD_SIZE, "number, %u to %u", field->low, field->high);
		break;
	}
}

static void expect_row(const char *section, const struct request_field *field)
{
	char type[WORD_SIZE], row[3 * WORD_SIZE];

	field_type(field, type);
	snprintf(row, sizeof(row), "\n| `%s` | %s |", field->name, type);
	if (!strstr(section, row))
		fail_msg("%s has no row %s", DOCUMENT, row + 1);
}

static void test_fields(void **state)
{
	const struct request_command *command;

	(void)state;
	for (size_t n = 0; (command = request_command_at(n)); n++) {
		char heading[WORD_SIZE];
		struct words code = { .count = 0 }, text;

		snprintf(heading, sizeof(heading), "\n### `%s`\n", command->name);
		if (!command->field[0].name)
			continue;
		text = words_under(heading, "\n##", "\n| `");
		for (const struct request_field *field = command->field; field->name; field++) {
			words_add(&code, field->name, strlen(field->name));
			expect_row(strstr(document, heading), field);
		}
		expect_same(&code, &text);
	}
}

static void test_codes(void **state)
{
	struct words code = { .count = 0 }, text = words_under("\n## Errors\n", "\n## ", "\n| `");
	const char *word;

	(void)state;
	for (size_t n = 0; (word = error_code_at(n)); n++)
		words_add(&code, word, strlen(word));
	expect_same(&code, &text);
}

static void test_version(void **state)
{
	char sentence[WORD_SIZE];

	(void)state;
	snprintf(sentence, sizeof(sentence), "- `version`: the number %d.", CONTROL_VERSION);
	assert_non_null(strstr(document, sentence));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_commands),
		cmocka_unit_test(test_fields),
		cmocka_unit_test(test_codes),
		cmocka_unit_test(test_version),
	};

	return cmocka_run_group_tests(tests, read_document, NULL);
}
