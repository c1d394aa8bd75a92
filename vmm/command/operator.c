/* SPDX-License-Identifier: BSD-2-Clause */
/* The commands that speak to a running machine: see the header. */
#include "command/operator.h"

#include "command/print.h"
#include "control/client.h"
#include "control/request.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* A request is one line of CONTROL_LINE_MAX bytes. */
#define SAVE_PATH_MAX 2000

int operator_command(const char *command, const char *name, const struct operator_options *options, struct error *error)
{
	json_t *request = request_make(command);
	json_t *answer;
	int result;

	request_set_text(request, "clock", options->clock);
	request_set_flag(request, "force", options->force);
	result = client_ask(name, request, NULL, &answer, error);
	if (result)
		return result;
	if (options->json)
		print_done(command, name);
	json_decref(answer);
	return 0;
}

int operator_stop_now(const char *name, const struct operator_options *options, struct error *error)
{
	bool killed;
	int result = client_stop_now(name, &killed, error);

	if (killed)
		fprintf(stderr, "seaclock: the monitor of %s did not answer, and was killed\n", name);
	if (!result && options->json)
		print_done("stop --now", name);
	return result;
}

/* Shows progress while it waits. */
static int operator_ask(const char *name, json_t *request, json_t **report, struct error *error)
{
	struct print_progress progress = { .shown = false };
	const struct client_watch watch = print_progress_watch(&progress);
	int result = client_ask(name, request, &watch, report, error);

	print_progress_end(&progress);
	return result;
}

/* ---- migrate ---- */

static json_t *migration_request_of(const char *host, const struct operator_options *options)
{
	json_t *request = request_make("migrate");

	request_set_text(request, "host", host);
	request_set_text(request, "clock", options->clock);
	request_set_flag(request, "inferred", options->inferred);
	request_set_flag(request, "force", options->force);
	request_set_flag(request, "dry_run", options->dry_run);
	request_set_flag(request, "cancel", options->cancel);
	request_set_number(request, "downtime_ms", options->downtime_ms);
	request_set_number(request, "max_step_us", options->max_step_us);
	return request;
}

int operator_migrate(const char *name, const char *host, const struct operator_options *options, struct error *error)
{
	json_t *report;
	int result = operator_ask(name, migration_request_of(host, options), &report, error);

	if (result)
		return result;
	if (options->cancel && options->json)
		print_done("migrate --cancel", name);
	else if (options->cancel)
		printf("the migration of %s was called off: it runs on here\n", name);
	else if (options->json)
		print_json(report);
	else if (options->dry_run)
		print_verdict(host, report);
	else
		print_moved(name, host, report);
	json_decref(report);
	return 0;
}

/* ---- save ---- */

/* The monitor may have another working folder. */
static int path_make_absolute(const char *file, char path[PATH_MAX], struct error *error)
{
	char folder[PATH_MAX] = "";
	int length;

	if (file[0] != '/' && !getcwd(folder, sizeof(folder)))
		return error_set(error, errno, "the working folder has no path (%s)", strerror(errno));
	length = snprintf(path, PATH_MAX, "%s%s%s", folder, file[0] == '/' ? "" : "/", file);
	if (length > SAVE_PATH_MAX)
		return error_set(error, ENAMETOOLONG, "the path of %.100s... has %d bytes; at most %d are possible",
				 file, length, SAVE_PATH_MAX);
	return 0;
}

int operator_save(const char *name, const char *file, const struct operator_options *options, struct error *error)
{
	char path[PATH_MAX];
	json_t *request, *report;
	int result = path_make_absolute(file, path, error);

	if (result)
		return result;
	request = request_make("save");
	if (!request_set_text(request, "file", path)) {
		json_decref(request);
		return error_set(error, EILSEQ, "the path of %s is not in UTF-8", file);
	}
	request_set_text(request, "clock", options->clock);
	request_set_flag(request, "force", options->force);
	result = operator_ask(name, request, &report, error);
	if (result)
		return result;
	if (options->json)
		print_json(report);
	else
		print_saved(name, report);
	json_decref(report);
	return 0;
}

/* ---- status ---- */

static int status_all(const struct operator_options *options, struct error *error)
{
	json_t *all;
	int result = client_status_all(&all, error);

	if (!all)
		return result;
	if (options->json)
		print_json(all);
	else
		print_status_list(all);
	json_decref(all);
	return result;
}

int operator_status(const char *name, const struct operator_options *options, struct error *error)
{
	json_t *status;
	int result;

	if (!name)
		return status_all(options, error);
	result = client_status(name, &status, error);
	if (result)
		return result;
	if (options->json)
		print_json(status);
	else
		print_status(status);
	json_decref(status);
	return 0;
}
