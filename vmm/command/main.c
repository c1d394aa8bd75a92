/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The program `seaclock`: its commands and options.
 *
 * Policy: the only place that exits, but for `stop --now` (serve.c), and the only one that prints an error. Exit
 * status: 0 done or powered off, 1 an error in one sentence on standard error, 2 wrong usage; 3 to 7 tell how a guest
 * ended (seaclock(1)).
 */
#include "control/request.h"
#include "host/host.h"
#include "base/layout.h"
#include "base/log.h"
#include "migrate/channel.h"
#include "command/operator.h"
#include "command/print.h"
#include "command/receive.h"
#include "command/restore.h"
#include "command/run.h"
#include "command/serve.h"
#include "base/signals.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define EXIT_USAGE 2

#define MEMORY_DEFAULT_MIB 512u

static const char usage_text[] =
	"usage: seaclock run NAME --kernel FILE [--initrd FILE] [--append TEXT] [--vcpus N] [--memory MIB]\n"
	"                         [--console FILE|-]\n"
	"       seaclock receive [NAME] [--listen ADDRESS:PORT] [--console FILE|-]\n"
	"       seaclock migrate NAME HOST[:PORT] [--dry-run] [--downtime MS] [--max-step US]\n"
	"                         [--clock advance|freeze] [--inferred] [--force] [--json]\n"
	"       seaclock migrate --cancel NAME [--json]\n"
	"       seaclock status [NAME] [--json]\n"
	"       seaclock pause NAME [--clock advance|freeze] [--json]\n"
	"       seaclock resume NAME [--clock advance|freeze] [--force] [--json]\n"
	"       seaclock stop NAME [--now] [--json]\n"
	"       seaclock save NAME FILE [--clock advance|freeze] [--force] [--json]\n"
	"       seaclock restore FILE [NAME] [--clock advance|freeze] [--inferred] [--force] [--console FILE|-]\n"
	"       seaclock host [--json]\n"
	"The manual page seaclock(1) explains them.\n";

struct arguments {
	struct run_options run;
	struct receive_options receive;
	struct operator_options client;
	int count; /* of the words that are no options */
	char **words;
};

/* ---- Options ---- */

/* False with a sentence, unless the text is a number from low to high. */
static bool parse_number(const char *what, const char *text, uint64_t low, uint64_t high, uint64_t *value)
{
	char *end;

	errno = 0;
	*value = strtoull(text, &end, 10);
	if (!errno && *text >= '0' && *text <= '9' && !*end && *value >= low && *value <= high)
		return true;
	fprintf(stderr, "seaclock: --%s takes a number from %" PRIu64 " to %" PRIu64 ", not `%s`\n", what, low, high,
		text);
	return false;
}

/* The same for a policy of the clock. */
static bool parse_policy(const char *text)
{
	enum sc_clock_policy policy;

	if (clock_policy_parse(text, &policy))
		return true;
	fprintf(stderr, "seaclock: --clock takes advance or freeze, not `%s`\n", text);
	return false;
}

enum {
	OPTION_KERNEL,
	OPTION_INITRD,
	OPTION_APPEND,
	OPTION_VCPUS,
	OPTION_MEMORY,
	OPTION_CONSOLE,
	OPTION_LISTEN,
	OPTION_CLOCK,
	OPTION_DRY_RUN,
	OPTION_CANCEL,
	OPTION_DOWNTIME,
	OPTION_MAX_STEP,
	OPTION_INFERRED,
	OPTION_FORCE,
	OPTION_NOW,
	OPTION_JSON,
	OPTION_COUNT
};

static const struct option option_table[OPTION_COUNT + 1] = {
	[OPTION_KERNEL] = { "kernel", required_argument, NULL, OPTION_KERNEL },
	[OPTION_INITRD] = { "initrd", required_argument, NULL, OPTION_INITRD },
	[OPTION_APPEND] = { "append", required_argument, NULL, OPTION_APPEND },
	[OPTION_VCPUS] = { "vcpus", required_argument, NULL, OPTION_VCPUS },
	[OPTION_MEMORY] = { "memory", required_argument, NULL, OPTION_MEMORY },
	[OPTION_CONSOLE] = { "console", required_argument, NULL, OPTION_CONSOLE },
	[OPTION_LISTEN] = { "listen", required_argument, NULL, OPTION_LISTEN },
	[OPTION_CLOCK] = { "clock", required_argument, NULL, OPTION_CLOCK },
	[OPTION_DRY_RUN] = { "dry-run", no_argument, NULL, OPTION_DRY_RUN },
	[OPTION_CANCEL] = { "cancel", no_argument, NULL, OPTION_CANCEL },
	[OPTION_DOWNTIME] = { "downtime", required_argument, NULL, OPTION_DOWNTIME },
	[OPTION_MAX_STEP] = { "max-step", required_argument, NULL, OPTION_MAX_STEP },
	[OPTION_INFERRED] = { "inferred", no_argument, NULL, OPTION_INFERRED },
	[OPTION_FORCE] = { "force", no_argument, NULL, OPTION_FORCE },
	[OPTION_NOW] = { "now", no_argument, NULL, OPTION_NOW },
	[OPTION_JSON] = { "json", no_argument, NULL, OPTION_JSON },
};

static bool option_set(struct arguments *arguments, int option, const char *value)
{
	uint64_t number;

	switch (option) {
	case OPTION_KERNEL:
		arguments->run.kernel = value;
		return true;
	case OPTION_INITRD:
		arguments->run.initrd = value;
		return true;
	case OPTION_APPEND:
		arguments->run.append = value;
		return true;
	case OPTION_VCPUS:
		if (!parse_number("vcpus", value, 1, SC_VCPU_MAX, &number))
			return false;
		arguments->run.config.vcpus = (uint32_t)number;
		return true;
	case OPTION_MEMORY:
		if (!parse_number("memory", value, LAYOUT_RAM_MIN >> 20, LAYOUT_RAM_MAX >> 20, &number))
			return false;
		arguments->run.config.memory_size = number << 20;
		return true;
	case OPTION_CONSOLE:
		arguments->run.console = arguments->receive.console = value;
		return true;
	case OPTION_LISTEN:
		arguments->receive.listen = value;
		return true;
	case OPTION_CLOCK:
		arguments->client.clock = value;
		return parse_policy(value);
	case OPTION_DRY_RUN:
		return arguments->client.dry_run = true;
	case OPTION_CANCEL:
		return arguments->client.cancel = true;
	case OPTION_DOWNTIME:
		if (!parse_number("downtime", value, 1, REQUEST_DOWNTIME_MAX_MS, &number))
			return false;
		arguments->client.downtime_ms = (uint32_t)number;
		return true;
	case OPTION_MAX_STEP:
		if (!parse_number("max-step", value, 1, REQUEST_MAX_STEP_MAX_US, &number))
			return false;
		arguments->client.max_step_us = (uint32_t)number;
		return true;
	case OPTION_INFERRED:
		return arguments->client.inferred = true;
	case OPTION_FORCE:
		return arguments->client.force = true;
	case OPTION_NOW:
		return arguments->client.now = true;
	case OPTION_JSON:
		return arguments->client.json = true;
	default:
		return false;
	}
}

/* ---- Commands: each gives the exit status ---- */

static int usage(FILE *to)
{
	fputs(usage_text, to);
	return EXIT_USAGE;
}

static int fail(const struct error *error, bool json)
{
	if (json)
		print_failure(error);
	fprintf(stderr, "seaclock: %s\n", error->text);
	return EXIT_FAILURE;
}

static int exit_of_end(enum machine_end end)
{
	static const int status[] = {
		[MACHINE_END_NONE] = EXIT_FAILURE, [MACHINE_END_POWER_OFF] = EXIT_SUCCESS,
		[MACHINE_END_RESET] = 3,	   [MACHINE_END_PANIC] = 4,
		[MACHINE_END_MIGRATED] = 5,	   [MACHINE_END_STOPPED] = SERVE_EXIT_STOPPED,
		[MACHINE_END_SAVED] = 7,	   [MACHINE_END_FAILED] = EXIT_FAILURE,
	};

	return status[end];
}

/* Before a command that serves a machine. */
static int monitor_begin(struct error *error)
{
	signals_prepare();
	return log_open(host_monotonic, error);
}

/* After it: the exit status. */
static int monitor_end(int result, enum machine_end end, const struct error *error)
{
	if (result)
		log_line("%s", error->text);
	log_close();
	if (result == -EINTR)
		end = MACHINE_END_STOPPED;
	else if (result)
		end = MACHINE_END_FAILED;
	return exit_of_end(end);
}

static int command_run(const struct arguments *arguments)
{
	struct run_options options = arguments->run;
	enum machine_end end = MACHINE_END_NONE;
	struct error error;
	int result;

	if (!name_is_valid(arguments->words[0])) {
		error_record(&error, EINVAL, "`%s` cannot be a machine's name", arguments->words[0]);
		return fail(&error, false);
	}
	snprintf(options.config.name, sizeof(options.config.name), "%s", arguments->words[0]);
	if (!options.kernel) {
		error_record(&error, EINVAL, "a machine needs a kernel: name it with --kernel FILE");
		return fail(&error, false);
	}
	if (monitor_begin(&error))
		return fail(&error, false);
	result = run_boot(&options, &end, &error);
	return monitor_end(result, end, &error);
}

static int command_receive(const struct arguments *arguments)
{
	struct receive_options options = arguments->receive;
	enum machine_end end = MACHINE_END_NONE;
	struct error error;
	int result;

	options.name = arguments->count ? arguments->words[0] : NULL;
	if (options.name && !name_is_valid(options.name)) {
		error_record(&error, EINVAL, "`%s` cannot be a machine's name", options.name);
		return fail(&error, false);
	}
	if (monitor_begin(&error))
		return fail(&error, false);
	result = receive_run(&options, &end, &error);
	return monitor_end(result, end, &error);
}

static int command_migrate(const struct arguments *arguments)
{
	struct error error;

	if ((arguments->count == 1) != arguments->client.cancel)
		return usage(stderr);
	if (operator_migrate(arguments->words[0], arguments->words[1], &arguments->client, &error))
		return fail(&error, arguments->client.json);
	return EXIT_SUCCESS;
}

static int command_save(const struct arguments *arguments)
{
	struct error error;

	if (operator_save(arguments->words[0], arguments->words[1], &arguments->client, &error))
		return fail(&error, arguments->client.json);
	return EXIT_SUCCESS;
}

static int command_restore(const struct arguments *arguments)
{
	const struct operator_options *client = &arguments->client;
	enum sc_clock_policy policy;
	struct restore_options options = {
		.path = arguments->words[0],
		.name = arguments->count > 1 ? arguments->words[1] : NULL,
		.terms = { .inferred = client->inferred, .force = client->force },
		.policy = client->clock && clock_policy_parse(client->clock, &policy) ? &policy : NULL,
	};
	enum machine_end end = MACHINE_END_NONE;
	struct error error;
	int result;

	if (options.name && !name_is_valid(options.name)) {
		error_record(&error, EINVAL, "`%s` cannot be a machine's name", options.name);
		return fail(&error, false);
	}
	if (monitor_begin(&error))
		return fail(&error, false);
	result = restoring_run(&options, arguments->run.console, &end, &error);
	return monitor_end(result, end, &error);
}

static int command_status(const struct arguments *arguments)
{
	struct error error;

	/* A list says itself who does not answer. */
	if (operator_status(arguments->count ? arguments->words[0] : NULL, &arguments->client, &error))
		return fail(&error, arguments->client.json && arguments->count);
	return EXIT_SUCCESS;
}

static int command_simple(const char *command, const struct arguments *arguments)
{
	struct error error;

	if (operator_command(command, arguments->words[0], &arguments->client, &error))
		return fail(&error, arguments->client.json);
	return EXIT_SUCCESS;
}

static int command_pause(const struct arguments *arguments)
{
	return command_simple("pause", arguments);
}

static int command_resume(const struct arguments *arguments)
{
	return command_simple("resume", arguments);
}

static int command_stop(const struct arguments *arguments)
{
	struct error error;

	if (!arguments->client.now)
		return command_simple("stop", arguments);
	if (operator_stop_now(arguments->words[0], &arguments->client, &error))
		return fail(&error, arguments->client.json);
	return EXIT_SUCCESS;
}

static int command_host(const struct arguments *arguments)
{
	struct error error;
	uint32_t hz = host_counter_hz();

	if (host_check(&error))
		return fail(&error, arguments->client.json);
	if (arguments->client.json)
		printf("{\"counter_hz\": %" PRIu32 ", \"kvm\": true, \"reference_page\": %s}\n", hz,
		       hz > SC_REF_HZ ? "true" : "false");
	else
		printf("counter %.6f MHz; KVM has all that Seaclock needs; a guest's reference TSC page %s\n", hz / 1e6,
		       hz > SC_REF_HZ ? "is possible" : "is not possible at 10 MHz or less, so it reads the register");
	return EXIT_SUCCESS;
}

static const struct command {
	const char *name;
	int (*run)(const struct arguments *arguments);
	int words_min, words_max;
	unsigned int options; /* bit n: OPTION n */
} command_table[] = {
	{ "run", command_run, 1, 1,
	  1u << OPTION_KERNEL | 1u << OPTION_INITRD | 1u << OPTION_APPEND | 1u << OPTION_VCPUS | 1u << OPTION_MEMORY |
		  1u << OPTION_CONSOLE },
	{ "receive", command_receive, 0, 1, 1u << OPTION_LISTEN | 1u << OPTION_CONSOLE },
	{ "migrate", command_migrate, 1, 2,
	  1u << OPTION_CLOCK | 1u << OPTION_DRY_RUN | 1u << OPTION_CANCEL | 1u << OPTION_DOWNTIME |
		  1u << OPTION_MAX_STEP | 1u << OPTION_INFERRED | 1u << OPTION_FORCE | 1u << OPTION_JSON },
	{ "status", command_status, 0, 1, 1u << OPTION_JSON },
	{ "pause", command_pause, 1, 1, 1u << OPTION_CLOCK | 1u << OPTION_JSON },
	{ "resume", command_resume, 1, 1, 1u << OPTION_CLOCK | 1u << OPTION_FORCE | 1u << OPTION_JSON },
	{ "stop", command_stop, 1, 1, 1u << OPTION_NOW | 1u << OPTION_JSON },
	{ "save", command_save, 2, 2, 1u << OPTION_CLOCK | 1u << OPTION_FORCE | 1u << OPTION_JSON },
	{ "restore", command_restore, 1, 2,
	  1u << OPTION_CLOCK | 1u << OPTION_INFERRED | 1u << OPTION_FORCE | 1u << OPTION_CONSOLE },
	{ "host", command_host, 0, 0, 1u << OPTION_JSON },
};

static const struct command *command_find(const char *name)
{
	for (size_t n = 0; n < sizeof(command_table) / sizeof(command_table[0]); n++)
		if (!strcmp(name, command_table[n].name))
			return &command_table[n];
	return NULL;
}

static bool arguments_parse(int argc, char **argv, const struct command *command, struct arguments *arguments)
{
	int option;

	while ((option = getopt_long(argc, argv, "", option_table, NULL)) != -1) {
		if (option == '?')
			return false;
		if (!(command->options >> option & 1)) {
			fprintf(stderr, "seaclock: %s takes no --%s\n", command->name, option_table[option].name);
			return false;
		}
		if (!option_set(arguments, option, optarg))
			return false;
	}
	arguments->count = argc - optind;
	arguments->words = argv + optind;
	return arguments->count >= command->words_min && arguments->count <= command->words_max;
}

/* Else the next file that is opened, such as KVM, would be taken for standard input or output. */
static void standard_files_open(void)
{
	int fd;

	do
		fd = open("/dev/null", O_RDWR);
	while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd >= 0)
		close(fd);
}

int main(int argc, char **argv)
{
	struct arguments arguments = {
		.run = { .config = { .vcpus = 1, .memory_size = (uint64_t)MEMORY_DEFAULT_MIB << 20 },
			 .append = "",
			 .console = "-" },
		.receive = { .listen = CHANNEL_ADDRESS_DEFAULT ":" CHANNEL_PORT_DEFAULT, .console = "-" },
	};
	const struct command *command;

	standard_files_open();
	if (argc == 2 && (!strcmp(argv[1], "--help") || !strcmp(argv[1], "help"))) {
		usage(stdout);
		return EXIT_SUCCESS;
	}
	command = argc > 1 ? command_find(argv[1]) : NULL;
	if (!command || !arguments_parse(argc - 1, argv + 1, command, &arguments))
		return usage(stderr);
	return command->run(&arguments);
}
