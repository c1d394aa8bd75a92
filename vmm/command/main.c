/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The program `seaclock`: finds the verb, reads its options, runs it.
 *
 * Policy: the only place that exits, but for `stop --now` (serve.c), and the only one that prints an error. Exit
 * status: 0 done or powered off, 1 an error in one sentence on standard error, 2 wrong usage; 3 to 7 tell how a guest
 * ended (seaclock(1)).
 */
#include "command/print.h"
#include "command/verb.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int usage(void)
{
	verb_print_usage(stderr);
	return VERB_USAGE;
}

static int fail(const struct error *error, bool json)
{
	if (json)
		print_failure(error);
	fprintf(stderr, "seaclock: %s\n", error->text);
	return EXIT_FAILURE;
}

/* If one is closed, the next file that is opened, such as KVM, would take its place. */
static void standard_files_open(void)
{
	int fd;

	do
		fd = open("/dev/null", O_RDWR);
	while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd >= 0)
		close(fd);
}

/* `options` has the defaults. The exit status. */
static int run(const struct verb *verb, int argc, char **argv, void *options)
{
	struct error error;
	int first = option_parse(verb->table, argc, argv, options, &error);
	int result;

	if (first < 0) {
		fprintf(stderr, "seaclock: %s\n", error.text);
		return usage();
	}
	if (argc - first < verb->words_min || argc - first > verb->words_max)
		return usage();
	result = verb->run(options, argv + first, &error);
	if (result < 0)
		return fail(&error, option_flag(verb->table, "json", options));
	return result == VERB_USAGE ? usage() : result;
}

int main(int argc, char **argv)
{
	const struct verb *verb;
	void *options;
	int status;

	standard_files_open();
	if (argc == 2 && (!strcmp(argv[1], "--help") || !strcmp(argv[1], "help"))) {
		verb_print_usage(stdout);
		return EXIT_SUCCESS;
	}
	verb = argc > 1 ? verb_find(argv[1]) : NULL;
	options = verb ? malloc(verb->size) : NULL;
	if (!options)
		return usage();
	memcpy(options, verb->defaults, verb->size);
	status = run(verb, argc - 1, argv + 1, options);
	free(options);
	return status;
}
