/* SPDX-License-Identifier: BSD-2-Clause */
/* The operator's end of the control socket: see the header. */
#include "client.h"

#include "control.h"
#include "migrate/handover.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define MIB 1048576.0

/* A migration may be silent between two lines for as long as a peer may be, and as it may take to ask what became of
 * it.
 */
#define ANSWER_TIMEOUT_MS (2 * (handover_limits.frame_ms + handover_limits.question_ms))

/* A request is one line of CONTROL_LINE_MAX bytes. */
#define SAVE_PATH_MAX 2000

static int client_connect(const char *name, int *fd, struct error *error)
{
	struct sockaddr_un address;
	int result = control_address(name, &address, error);

	if (result)
		return result;
	*fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (*fd < 0)
		return error_set(error, errno, "no socket (%s)", strerror(errno));
	if (!connect(*fd, (struct sockaddr *)&address, sizeof(address)))
		return 0;
	result = errno;
	close(*fd);
	return error_set(error, result, "no machine named %s is running here (%s: %s)", name, address.sun_path,
			 strerror(result));
}

static json_int_t number(const json_t *object, const char *key)
{
	return json_integer_value(json_object_get(object, key));
}

static double real(const json_t *object, const char *key)
{
	return json_number_value(json_object_get(object, key));
}

static void progress_show(const json_t *progress)
{
	if (!isatty(STDERR_FILENO))
		return;
	if (!number(progress, "round"))
		fprintf(stderr, "\r%.1f MiB left \033[K", real(progress, "bytes_left") / MIB);
	else
		fprintf(stderr,
			"\rround %" JSON_INTEGER_FORMAT
			", %.1f MiB left of it, %.1f MiB/s, expected downtime %.0f ms \033[K",
			number(progress, "round"), real(progress, "bytes_left") / MIB, real(progress, "rate") / MIB,
			real(progress, "expected_downtime_ms"));
}

static void progress_clear(bool shown)
{
	if (shown && isatty(STDERR_FILENO))
		fputs("\r\033[K", stderr);
}

/* The result of a request: what stands under "ok"; NULL with a sentence. To be freed by the caller. */
static json_t *client_wait(int fd, struct error *error)
{
	bool progress = false;
	json_t *line;

	while ((line = control_read_line(fd, ANSWER_TIMEOUT_MS))) {
		json_t *ok = json_incref(json_object_get(line, "ok"));
		const char *refused = json_string_value(json_object_get(line, "error"));

		if (json_object_get(line, "progress")) {
			progress_show(json_object_get(line, "progress"));
			progress = true;
		}
		if (ok || refused)
			progress_clear(progress);
		if (refused)
			error_format(error, "%s", refused);
		json_decref(line);
		if (ok || refused)
			return ok;
	}
	error_format(error, "the machine's monitor closed its control socket without an answer");
	return NULL;
}

/* Takes over `request`. */
static int client_ask(const char *name, json_t *request, json_t **answer, struct error *error)
{
	int fd;
	int result = client_connect(name, &fd, error);

	if (result) {
		json_decref(request);
		return result;
	}
	control_write_line(fd, request);
	*answer = client_wait(fd, error);
	close(fd);
	return *answer ? 0 : -EREMOTEIO;
}

static void json_print(const json_t *value)
{
	json_dumpf(value, stdout, JSON_INDENT(2) | JSON_ENCODE_ANY);
	putchar('\n');
}

static void done_print(const char *command, const char *name)
{
	json_t *line = json_pack("{s:s, s:s, s:b}", "name", name, "command", command, "ok", 1);

	json_print(line);
	json_decref(line);
}

int client_command(const char *command, const char *name, const struct client_options *options, struct error *error)
{
	json_t *request = json_pack("{s:s, s:b, s:s*}", "command", command, "force", (int)options->force, "clock",
				    options->clock);
	json_t *answer;
	int result = client_ask(name, request, &answer, error);

	if (result)
		return result;
	if (options->json)
		done_print(command, name);
	json_decref(answer);
	return 0;
}

/* ---- migrate ---- */

/* How the rates of the two hosts are against each other, if that is known. */
static void rate_print(const json_t *report)
{
	double ppm = real(report, "rate_ppm");

	if (!json_is_null(json_object_get(report, "rate_ppm")))
		printf("  the target's clock runs %.1f ppm %s than the source's, within %.1f ppm\n",
		       ppm < 0 ? -ppm : ppm, ppm < 0 ? "slower" : "faster", real(report, "rate_ppm_bound"));
}

static void migration_print(const json_t *report)
{
	const json_t *parts = json_object_get(report, "parts_ms");

	printf("  %.1f ms down: hold %.1f, pages %.1f, state %.1f, transfer %.1f, load %.1f, resume %.1f; "
	       "%" JSON_INTEGER_FORMAT " rounds, %.1f MiB sent\n",
	       real(report, "downtime_ms"), real(parts, "hold"), real(parts, "pages"), real(parts, "state"),
	       real(parts, "transfer"), real(parts, "load"), real(parts, "resume"), number(report, "rounds"),
	       real(report, "bytes") / MIB);
	printf("  counter from %.6f MHz to %.6f MHz; clock step intended: %.3f ms, bound: %.1f us (best round trip "
	       "%.1f us, "
	       "%.1f ms old)\n",
	       real(report, "from_hz") / 1e6, real(report, "to_hz") / 1e6, real(report, "intended_step_ns") / 1e6,
	       real(report, "stated_bound_ns") / 1e3, real(report, "round_trip_ns") / 1e3,
	       real(report, "age_ns") / 1e6);
	rate_print(report);
}

static void verdict_print(const char *host, const json_t *verdict)
{
	printf("%s can move to %s: counter from %.6f MHz to %.6f MHz, level %s\n",
	       json_string_value(json_object_get(verdict, "name")), host, real(verdict, "from_hz") / 1e6,
	       real(verdict, "to_hz") / 1e6, json_string_value(json_object_get(verdict, "level")));
}

static json_t *migration_request_of(const char *host, const struct client_options *options)
{
	json_t *request = json_pack("{s:s, s:s*, s:s*, s:b, s:b, s:b}", "command", "migrate", "host", host, "clock",
				    options->clock, "force", (int)options->force, "dry_run", (int)options->dry_run,
				    "cancel", (int)options->cancel);

	if (options->downtime_ms)
		json_object_set_new(request, "downtime_ms", json_integer(options->downtime_ms));
	if (options->max_step_us)
		json_object_set_new(request, "max_step_us", json_integer(options->max_step_us));
	return request;
}

int client_migrate(const char *name, const char *host, const struct client_options *options, struct error *error)
{
	json_t *report;
	int result = client_ask(name, migration_request_of(host, options), &report, error);

	if (result)
		return result;
	if (options->cancel && options->json) {
		done_print("migrate --cancel", name);
	} else if (options->cancel) {
		printf("the migration of %s was called off: it runs on here\n", name);
	} else if (options->json) {
		json_print(report);
	} else if (options->dry_run) {
		verdict_print(host, report);
	} else {
		printf("%s runs on %s\n", name, host);
		migration_print(report);
	}
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

static void save_print(const char *name, const json_t *report)
{
	printf("%s is saved in %s: %.1f MiB; it stood still for %.1f ms; counter %.6f MHz, level %s\n", name,
	       json_string_value(json_object_get(report, "file")), real(report, "bytes") / MIB,
	       real(report, "stopped_ms"), real(report, "counter_hz") / 1e6,
	       json_string_value(json_object_get(report, "level")));
}

int client_save(const char *name, const char *file, const struct client_options *options, struct error *error)
{
	char path[PATH_MAX];
	json_t *request, *report;
	int result = path_make_absolute(file, path, error);

	if (result)
		return result;
	request = json_pack("{s:s, s:s, s:s*}", "command", "save", "file", path, "clock", options->clock);
	if (!request)
		return error_set(error, EILSEQ, "the path of %s is not in UTF-8", file);
	result = client_ask(name, request, &report, error);
	if (result)
		return result;
	if (options->json)
		json_print(report);
	else
		save_print(name, report);
	json_decref(report);
	return 0;
}

/* ---- status ---- */

static int status_get(const char *name, json_t **status, struct error *error)
{
	return client_ask(name, json_pack("{s:s}", "command", "status"), status, error);
}

static void status_print(const json_t *status)
{
	printf("%-20s %-10s %" JSON_INTEGER_FORMAT " vCPUs %6" JSON_INTEGER_FORMAT " MiB  counter %.6f MHz  level %s\n",
	       json_string_value(json_object_get(status, "name")), json_string_value(json_object_get(status, "state")),
	       number(status, "vcpus"), number(status, "memory_mib"), (double)number(status, "counter_hz") / 1e6,
	       json_string_value(json_object_get(status, "level")));
}

/* With its last migration. */
static void status_print_one(const json_t *status)
{
	const json_t *last = json_object_get(status, "last_migration");
	const char *failed = json_string_value(json_object_get(last, "error"));

	status_print(status);
	if (failed)
		printf("  last migration failed: %s\n", failed);
	else if (last)
		migration_print(last);
}

static bool name_of_socket(const char *file, char name[NAME_SIZE])
{
	size_t length = strlen(file);
	size_t end = strlen(".sock");

	if (length <= end || length - end >= NAME_SIZE || strcmp(file + length - end, ".sock") != 0)
		return false;
	memcpy(name, file, length - end);
	name[length - end] = '\0';
	return true;
}

/* Machines that end while we look are no machines. */
static json_t *status_all(void)
{
	DIR *folder = opendir(control_folder());
	json_t *all = json_array();
	const struct dirent *entry;

	while (folder && (entry = readdir(folder))) {
		char name[NAME_SIZE];
		struct error ignored;
		json_t *status;

		if (name_of_socket(entry->d_name, name) && !status_get(name, &status, &ignored))
			json_array_append_new(all, status);
	}
	if (folder)
		closedir(folder);
	return all;
}

static void status_print_all(const json_t *all)
{
	json_t *status;
	size_t index;

	if (!json_array_size(all))
		printf("no machine is running here (%s)\n", control_folder());
	json_array_foreach(all, index, status) status_print(status);
}

int client_status(const char *name, const struct client_options *options, struct error *error)
{
	json_t *status;
	int result = 0;

	if (name)
		result = status_get(name, &status, error);
	else
		status = status_all();
	if (result)
		return result;
	if (options->json)
		json_print(status);
	else if (name)
		status_print_one(status);
	else
		status_print_all(status);
	json_decref(status);
	return 0;
}
