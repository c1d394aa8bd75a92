/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The program `seaclock`: finds the verb, reads its options, runs it.
 *
 * Policy: the only place that exits, but for `stop --now` (serve.c), and the only one that prints an error. Exit
 * status: 0 done or powered off, 1 an error in one sentence on standard error, 2 the same for a wrong command line;
 * others tell how a guest ended, or where it is (seaclock(1)).
 */
#include "command/monitor.h"
#include "command/print.h"
#include "command/verb.h"
#include "control/request.h"
#include "transfer/frame.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define EXIT_USAGE 2

/* The command line is wrong; `verb` is NULL if it has none. */
static int refuse(const struct verb *verb, const struct error *error)
{
	fprintf(stderr, "seaclock: %s; see seaclock %s%s--help\n", error->text, verb ? verb->name : "",
		verb ? " " : "");
	return EXIT_USAGE;
}

/* Of an error: more than EXIT_FAILURE if the machine is not as it was. */
static int status_of(const struct error *error)
{
	switch (error->err) {
	case EREMOTE: /* the codes "moved", */
		return monitor_status(MACHINE_END_MIGRATED);
	case ENOTRECOVERABLE: /* "undecided", */
		return 8;
	case EL3HLT: /* "diskless", */
		return 9;
	case EL2HLT: /* "paused", */
		return 10;
	case ENOMSG: /* and "unheard" */
		return 11;
	default:
		return EXIT_FAILURE;
	}
}

static int fail(const struct error *error)
{
	fprintf(stderr, "seaclock: %s\n", error->text);
	return status_of(error);
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
	int first = option_parse(verb->table, argc, argv, options, &error), result = first;

	if (first == OPTION_HELP) {
		verb_print_usage(verb, stdout);
		return EXIT_SUCCESS;
	}
	if (first > 0)
		result = verb_check_words(verb, argc - first, argv + first, &error);
	if (!result)
		result = verb->run(options, argv + first, &error);
	if (result >= 0)
		return result;
	if (option_flag(verb->table, "json", options))
		print_failure(&error);
	return result == -EINVAL ? refuse(verb, &error) : fail(&error);
}

static int run_verb(const struct verb *verb, int argc, char **argv)
{
	void *options = malloc(verb->size);
	struct error error;
	int status;

	if (!options) {
		error_record(&error, ENOMEM, "no memory for the options");
		return fail(&error);
	}
	memcpy(options, verb->defaults, verb->size);
	status = run(verb, argc, argv, options);
	free(options);
	return status;
}

/* `seaclock --help`, `seaclock --version`: true if it was one of them. */
static bool tell(int argc, char **argv)
{
	if (argc != 2)
		return false;
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "help")) {
		verb_print_usage(NULL, stdout);
		return true;
	}
	if (strcmp(argv[1], "--version") != 0)
		return false;
	printf("seaclock " SEACLOCK_VERSION ": migration protocol %u, also taken: %u; control protocol %d\n",
	       FRAME_PROTOCOL, FRAME_PROTOCOL_OLDEST, CONTROL_VERSION);
	return true;
}

int main(int argc, char **argv)
{
	const struct verb *verb = argc > 1 ? verb_find(argv[1]) : NULL;
	struct error error;

	standard_files_open();
	if (verb)
		return run_verb(verb, argc - 1, argv + 1);
	if (tell(argc, argv))
		return EXIT_SUCCESS;
	if (argc > 1)
		error_record(&error, EINVAL, "there is no command `%.100s`", argv[1]);
	else
		error_record(&error, EINVAL, "a command is missing");
	return refuse(NULL, &error);
}
