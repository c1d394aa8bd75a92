/* SPDX-License-Identifier: BSD-2-Clause */
/* The verbs of the command line: see the header. */
#include "command/verb.h"

#include <errno.h>
#include <string.h>

/* The usage is as wide as this. */
#define USAGE_COLUMNS 100
#define USAGE_INDENT 25

/* In the order of the usage. */
static const struct verb *const verb_table[] = {
	&verb_run,    &verb_receive,  &verb_migrate,  &verb_renew, &verb_status,  &verb_console, &verb_pause,
	&verb_resume, &verb_grow,     &verb_shutdown, &verb_stop,  &verb_save,	  &verb_restore, &verb_kernel,
	&verb_host,   &verb_baseline, &verb_map,      &verb_keys,  &verb_service,
};

#define VERBS (sizeof(verb_table) / sizeof(verb_table[0]))

const struct verb *verb_at(size_t n)
{
	return n < VERBS ? verb_table[n] : NULL;
}

const struct verb *verb_find(const char *name)
{
	for (size_t n = 0; n < VERBS; n++)
		if (!strcmp(name, verb_table[n]->name))
			return verb_table[n];
	return NULL;
}

int verb_check_words(const struct verb *verb, int count, char *const *words, struct error *error)
{
	if (count < verb->words_min)
		return error_set(error, EINVAL, "%s needs %s", verb->name, verb->words);
	if (count > verb->words_max)
		return error_set(error, EINVAL, "%s takes no further word `%.100s`", verb->name,
				 words[verb->words_max]);
	return 0;
}

/* ---- The usage ---- */

/* One more word, on the next line if this one is full. */
static void usage_word(FILE *to, int *column, const char *word)
{
	if (*column + 1 + (int)strlen(word) > USAGE_COLUMNS)
		*column = fprintf(to, "\n%*s", USAGE_INDENT - 1, "") - 1;
	*column += fprintf(to, " %s", word);
}

static void verb_print(const struct verb *verb, const char *before, FILE *to)
{
	int column = fprintf(to, "%s seaclock %s", before, verb->name);

	if (*verb->words)
		usage_word(to, &column, verb->words);
	for (const struct option_spec *option = verb->table; option->name; option++) {
		char text[OPTION_USAGE_MAX];

		option_usage(option, text);
		if (option->place != OPTION_APART)
			usage_word(to, &column, text);
	}
	fputc('\n', to);
	if (verb->form)
		fprintf(to, "       seaclock %s %s\n", verb->name, verb->form);
}

void verb_print_usage(const struct verb *verb, FILE *to)
{
	if (verb)
		verb_print(verb, "usage:", to);
	for (size_t n = 0; !verb && n < VERBS; n++)
		verb_print(verb_table[n], n ? "      " : "usage:", to);
	fputs("The manual page seaclock(1) explains the options.\n", to);
}
