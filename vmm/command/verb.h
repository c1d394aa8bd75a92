/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The verbs of the command line: `seaclock VERB ...`. Each has a file of its own, with its options.
 *
 * Policy: a verb prints its results; its errors are returned, and printed by main. The usage is made of the tables.
 */
#ifndef VMM_COMMAND_VERB_H
#define VMM_COMMAND_VERB_H

#include "command/option.h"

#include <stdio.h>

struct verb {
	const char *name;
	const char *words; /* those that are no options, as the usage has them */
	int words_min, words_max;
	const char *form;		 /* another form of the verb in the usage; NULL: none */
	const struct option_spec *table; /* of its options */
	const void *defaults;		 /* of the struct that the table fills, */
	size_t size;			 /* which has this size */
	/*
	 * `options` is filled, `words` end with NULL. The exit status; or -errno with a sentence, -EINVAL only if the
	 * command line is wrong.
	 */
	int (*run)(void *options, char *const *words, struct error *error);
};

extern const struct verb verb_run, verb_receive, verb_migrate, verb_status, verb_pause, verb_resume, verb_stop,
	verb_console, verb_grow, verb_shutdown, verb_save, verb_restore, verb_kernel, verb_host, verb_baseline,
	verb_map, verb_keys, verb_service, verb_renew;

/* Verb number n; NULL after the last. */
const struct verb *verb_at(size_t n);

/* NULL if there is none of this name. */
const struct verb *verb_find(const char *name);

/* -EINVAL and a sentence if these are not the verb's words: too few, or too many. */
int verb_check_words(const struct verb *verb, int count, char *const *words, struct error *error);

/* A verb with its options, or all verbs if that is NULL. */
void verb_print_usage(const struct verb *verb, FILE *to);

#endif
