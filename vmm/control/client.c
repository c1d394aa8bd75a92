/* SPDX-License-Identifier: BSD-2-Clause */
/* The operator's end of the control socket: see the header. */
#include "control/client.h"

#include "base/name.h"
#include "control/line.h"
#include "control/request.h"
#include "control/socket.h"
#include "host/deadline.h"
#include "transfer/limits.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#define MIB 1048576.0

/* What a monitor answers at once. */
#define SHORT_ANSWER_MS 3000

/*
 * A migration may be silent between two lines for as long as a peer may be, and as it may take to ask what became of
 * it.
 */
#define LONG_ANSWER_MS (2 * (handover_limits.frame_ms + handover_limits.question_ms))

/* A request is one line of CONTROL_LINE_MAX bytes. */
#define SAVE_PATH_MAX 2000

static int client_silent(const char *name, struct error *error)
{
	return error_set(error, ETIMEDOUT,
			 "the monitor of %s does not answer: it is stopped, or this host is overloaded; `seaclock stop "
			 "--now %s` ends it in any case",
			 name, name);
}

/* What was asked for may still be under way, and its guest would be lost with the monitor. */
static int client_unheard(const char *name, struct error *error)
{
	return error_set(error, ETIMEDOUT,
			 "the monitor of %s has said nothing for %d s: what was asked for may still be under way, as "
			 "`seaclock status %s` tells",
			 name, LONG_ANSWER_MS / 1000, name);
}

static int client_connect(const char *name, int *fd, struct error *error)
{
	struct sockaddr_un address;
	int result = control_address(name, &address, error);
	int reason;

	if (result)
		return result;
	/* Without waiting, for so many may wait already that the monitor does not seem to answer anybody. */
	*fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (*fd < 0)
		return error_set(error, errno, "no socket (%s)", strerror(errno));
	if (!connect(*fd, (struct sockaddr *)&address, sizeof(address)))
		return 0;
	reason = errno;
	close(*fd);
	if (reason == EAGAIN)
		return client_silent(name, error);
	result = reason == ENOENT || reason == ECONNREFUSED ? ESRCH : reason;
	return error_set(error, result, "no machine named %s is running here (%s: %s)", name, address.sun_path,
			 strerror(reason));
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

/* The monitor's own words, and its code. */
static void client_refused(const json_t *line, struct error *error)
{
	const char *code = json_string_value(json_object_get(line, "code"));

	error_record(error, code ? error_of_code(code) : 0, "%s", json_string_value(json_object_get(line, "error")));
}

/* The result of a request: what stands under "ok", to be freed by the caller. Each line may take so long. */
static int client_wait(const char *name, int fd, int limit_ms, json_t **answer, struct error *error)
{
	bool progress = false;
	json_t *line;

	while ((line = control_read_line(fd, limit_ms))) {
		json_t *ok = json_incref(json_object_get(line, "ok"));
		const char *refused = json_string_value(json_object_get(line, "error"));

		if (json_object_get(line, "progress")) {
			progress_show(json_object_get(line, "progress"));
			progress = true;
		}
		if (ok || refused)
			progress_clear(progress);
		if (refused)
			client_refused(line, error);
		json_decref(line);
		*answer = ok;
		if (ok || refused)
			return ok ? 0 : -EREMOTEIO;
	}
	if (errno == ETIMEDOUT)
		return client_silent(name, error);
	return error_set(error, EPIPE, "the monitor of %s closed its control socket without an answer", name);
}

/* Connects and sends. Takes over `request`. */
static int client_send(const char *name, json_t *request, int *fd, struct error *error)
{
	int result = client_connect(name, fd, error);

	if (result)
		json_decref(request);
	else
		control_write_line(*fd, request);
	return result;
}

/* And waits for the result. */
static int client_ask(const char *name, json_t *request, json_t **answer, struct error *error)
{
	int fd;
	int result = client_send(name, request, &fd, error);

	if (result)
		return result;
	result = client_wait(name, fd, LONG_ANSWER_MS, answer, error);
	close(fd);
	return result == -ETIMEDOUT ? client_unheard(name, error) : result;
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
	json_t *request = request_make(command);
	json_t *answer;
	int result;

	request_set_text(request, "clock", options->clock);
	request_set_flag(request, "force", options->force);
	result = client_ask(name, request, &answer, error);
	if (result)
		return result;
	if (options->json)
		done_print(command, name);
	json_decref(answer);
	return 0;
}

/* ---- stop --now ---- */

/* The process at the other end of the connection, as a descriptor; -1. */
static int peer_open(int fd)
{
	struct ucred peer = { .pid = 0 };
	socklen_t size = sizeof(peer);
	char byte;
	int process;

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) || peer.pid <= 0)
		return -1;
	process = (int)syscall(SYS_pidfd_open, peer.pid, 0);
	/* As long as the connection is there, the number was that process's when it was opened. */
	if (process < 0 || (recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0 && errno == EAGAIN))
		return process;
	close(process);
	return -1;
}

static int peer_kill(int fd, const char *name, struct error *error)
{
	struct pollfd gone = { .fd = peer_open(fd), .events = POLLIN };
	bool killed = gone.fd >= 0 && !syscall(SYS_pidfd_send_signal, gone.fd, SIGKILL, NULL, 0) &&
		      poll(&gone, 1, SHORT_ANSWER_MS) == 1;

	if (gone.fd >= 0)
		close(gone.fd);
	if (killed)
		return 0;
	return error_set(error, ETIMEDOUT, "the monitor of %s neither answers nor can be killed", name);
}

int client_stop_now(const char *name, const struct client_options *options, struct error *error)
{
	json_t *answer = NULL;
	bool killed = false;
	json_t *request = request_make("stop");
	int fd, result;

	json_object_set_new(request, "now", json_true());
	result = client_send(name, request, &fd, error);
	if (result)
		return result;
	result = client_wait(name, fd, SHORT_ANSWER_MS, &answer, error);
	if (result == -ETIMEDOUT) {
		result = peer_kill(fd, name, error);
		killed = !result;
	}
	close(fd);
	json_decref(answer);
	if (killed)
		fprintf(stderr, "seaclock: the monitor of %s did not answer, and was killed\n", name);
	if (!result && options->json)
		done_print("stop --now", name);
	return result;
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

/* What stands behind a level. */
static const char *inferred_text(const json_t *object)
{
	return json_is_true(json_object_get(object, "inferred")) ? " (inferred)" : "";
}

static void verdict_print(const char *host, const json_t *verdict)
{
	printf("%s can move to %s: counter from %.6f MHz to %.6f MHz, level %s%s\n",
	       json_string_value(json_object_get(verdict, "name")), host, real(verdict, "from_hz") / 1e6,
	       real(verdict, "to_hz") / 1e6, json_string_value(json_object_get(verdict, "level")),
	       inferred_text(verdict));
}

static json_t *migration_request_of(const char *host, const struct client_options *options)
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
	request = request_make("save");
	if (!request_set_text(request, "file", path)) {
		json_decref(request);
		return error_set(error, EILSEQ, "the path of %s is not in UTF-8", file);
	}
	request_set_text(request, "clock", options->clock);
	request_set_flag(request, "force", options->force);
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

/* A machine that has been asked. */
struct asked {
	char name[NAME_SIZE];
	int fd;	    /* -1: it could not be, */
	int result; /* with this error */
};

static struct asked status_ask(const char *name, struct error *error)
{
	struct asked asked = { .fd = -1 };

	snprintf(asked.name, sizeof(asked.name), "%s", name);
	asked.result = client_send(name, request_make("status"), &asked.fd, error);
	if (asked.result)
		asked.fd = -1;
	return asked;
}

static int status_take(const struct asked *asked, int limit_ms, json_t **status, struct error *error)
{
	int result = asked->result;

	if (!result)
		result = client_wait(asked->name, asked->fd, limit_ms, status, error);
	if (asked->fd >= 0)
		close(asked->fd);
	return result;
}

static void status_print(const json_t *status)
{
	if (json_object_get(status, "error")) {
		printf("%-20s does not answer\n", json_string_value(json_object_get(status, "name")));
		return;
	}
	printf("%-20s %-10s %" JSON_INTEGER_FORMAT " vCPUs %6" JSON_INTEGER_FORMAT
	       " MiB  counter %.6f MHz  level %s%s\n",
	       json_string_value(json_object_get(status, "name")), json_string_value(json_object_get(status, "state")),
	       number(status, "vcpus"), number(status, "memory_mib"), (double)number(status, "counter_hz") / 1e6,
	       json_string_value(json_object_get(status, "level")), inferred_text(status));
}

/* What an operator looks for when a guest hangs. */
static void late_timers_print(const json_t *timers)
{
	json_t *timer;
	size_t index;

	json_array_foreach(timers, index, timer)
		printf("  vCPU %" JSON_INTEGER_FORMAT ", timer %" JSON_INTEGER_FORMAT ": %s for %.1f s\n",
		       number(timer, "vcpu"), number(timer, "timer"),
		       json_string_value(json_object_get(timer, "state")), real(timer, "ms") / 1e3);
}

/* With its last migration. */
static void status_print_one(const json_t *status)
{
	const json_t *last = json_object_get(status, "last_migration");
	const char *failed = json_string_value(json_object_get(last, "error"));
	const char *reason = json_string_value(json_object_get(status, "level_reason"));

	status_print(status);
	late_timers_print(json_object_get(status, "late_timers"));
	if (reason)
		printf("  another counter rate is refused: %s\n", reason);
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
	return name_is_valid(name);
}

/* Asks every machine of the control folder; the array is the caller's. -errno. */
static int status_ask_all(struct asked **all, size_t *count, struct error *error)
{
	DIR *folder = opendir(control_folder());
	const struct dirent *entry;

	*all = NULL;
	*count = 0;
	if (!folder && errno != ENOENT)
		return error_set(error, errno, "cannot read the control folder %s (%s)", control_folder(),
				 strerror(errno));
	while (folder && (entry = readdir(folder))) {
		char name[NAME_SIZE];
		struct error ignored;
		struct asked *more =
			name_of_socket(entry->d_name, name) ? realloc(*all, (*count + 1) * sizeof(**all)) : NULL;

		if (!more)
			continue;
		*all = more;
		more[(*count)++] = status_ask(name, &ignored);
	}
	if (folder)
		closedir(folder);
	return 0;
}

/* True unless it is no machine any more: one that ends while we look, or a socket that a killed monitor left. */
static bool status_is_silence(int result)
{
	return result != -ESRCH && result != -EPIPE;
}

static json_t *status_failed(const char *name, const struct error *error)
{
	json_t *status = json_pack("{s:s}", "name", name);

	json_object_update_new(status, control_error(error));
	return status;
}

/* All that was asked has the same time to answer. -ETIMEDOUT if somebody did not, who is in the list all the same. */
static int status_all(json_t *all, struct error *error)
{
	sc_ns_t deadline = deadline_after_ms(SHORT_ANSWER_MS);
	struct asked *asked;
	size_t count, silent = 0;
	int result = status_ask_all(&asked, &count, error);

	for (size_t n = 0; n < count; n++) {
		struct error why;
		json_t *status = NULL;
		int err = status_take(&asked[n], deadline_left_ms(deadline), &status, &why);

		if (err && !status_is_silence(err))
			continue;
		silent += err != 0;
		json_array_append_new(all, err ? status_failed(asked[n].name, &why) : status);
	}
	free(asked);
	if (result || !silent)
		return result;
	return error_set(error, ETIMEDOUT, "%zu of %zu monitors did not answer within %d s", silent,
			 json_array_size(all), SHORT_ANSWER_MS / 1000);
}

static void status_print_all(const json_t *all)
{
	json_t *status;
	size_t index;

	if (!json_array_size(all))
		printf("no machine is running here (%s)\n", control_folder());
	json_array_foreach(all, index, status) status_print(status);
}

static int client_status_all(const struct client_options *options, struct error *error)
{
	json_t *all = json_array();
	int result = status_all(all, error);

	if (!result || result == -ETIMEDOUT) {
		if (options->json)
			json_print(all);
		else
			status_print_all(all);
	}
	json_decref(all);
	return result;
}

int client_status(const char *name, const struct client_options *options, struct error *error)
{
	struct asked asked;
	json_t *status;
	int result;

	if (!name)
		return client_status_all(options, error);
	asked = status_ask(name, error);
	result = status_take(&asked, SHORT_ANSWER_MS, &status, error);
	if (result)
		return result;
	if (options->json)
		json_print(status);
	else
		status_print_one(status);
	json_decref(status);
	return 0;
}
