/* SPDX-License-Identifier: BSD-2-Clause */
/* The monitor's end of the control socket: see the header. */
#include "control.h"

#include "log.h"
#include "migrate/source.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define REQUEST_TIMEOUT_MS 1000

struct migration {
	struct control *control;
	int client;
	bool force;
	char host[256];
};

/* ---- Opening ---- */

static int socket_bind(const struct sockaddr_un *address, int *fd)
{
	*fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (*fd < 0)
		return -errno;
	if (!bind(*fd, (const struct sockaddr *)address, sizeof(*address)) && !listen(*fd, 8))
		return 0;
	return -errno;
}

/* A socket that nobody listens on is left over from a monitor that was killed. */
static bool socket_is_dead(const struct sockaddr_un *address)
{
	/* One that has no time now is alive: no waiting for it. */
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	bool dead = connect(fd, (const struct sockaddr *)address, sizeof(*address)) < 0 && errno == ECONNREFUSED;

	close(fd);
	return dead;
}

static int control_bind(struct control *control, struct error *error)
{
	int result = socket_bind(&control->address, &control->listener);

	if (!result)
		return 0;
	if (control->listener >= 0)
		close(control->listener);
	control->listener = -1;
	if (result == -EADDRINUSE)
		return error_set(error, EEXIST, "a machine named %s is already running", control->machine->config.name);
	return error_set(error, -result, "cannot open the control socket %s (%s)", control->address.sun_path,
			 strerror(-result));
}

int control_open(struct control *control, struct machine *machine, struct error *error)
{
	int result;

	*control = (struct control){ .machine = machine, .listener = -1 };
	result = control_address(machine->config.name, &control->address, error);
	if (result)
		return result;
	if (mkdir(control_folder(), 0700) < 0 && errno != EEXIST)
		return error_set(error, errno, "cannot make the control folder %s (%s)", control_folder(),
				 strerror(errno));
	if (socket_is_dead(&control->address))
		unlink(control->address.sun_path);
	return control_bind(control, error);
}

static void control_join_migration(struct control *control)
{
	if (control->migration_started)
		pthread_join(control->migration, NULL);
	control->migration_started = false;
}

void control_close(struct control *control)
{
	control_join_migration(control);
	saving_join(&control->saving);
	if (control->listener < 0)
		return;
	close(control->listener);
	unlink(control->address.sun_path);
}

/* ---- Answers ---- */

static void answer_error(int client, const struct error *error)
{
	control_write_line(client, control_error(error));
}

static void answer(int client, int result, const struct error *error)
{
	if (result)
		answer_error(client, error);
	else
		control_write_line(client, json_pack("{s:b}", "ok", 1));
}

/* How a machine came out of a file; NULL if it did not. */
static json_t *restored_json(const struct machine_restored *restored)
{
	bool known = restored->bound_ns != SC_STATEMENT_UNKNOWN;

	if (!restored->from_hz)
		return NULL;
	return json_pack("{s:I, s:s, s:s, s:I, s:I, s:o}", "from_hz", (json_int_t)restored->from_hz, "level",
			 machine_level_name(restored->level), "policy", clock_policy_name(restored->policy), "gap_ns",
			 (json_int_t)restored->gap_ns, "intended_step_ns",
			 restored->policy == SC_CLOCK_FREEZE ? -(json_int_t)restored->gap_ns : 0, "stated_bound_ns",
			 known ? json_integer((json_int_t)restored->bound_ns) : json_string("unknown"));
}

static json_t *status_json(struct machine *machine)
{
	return json_pack("{s:s, s:s, s:i, s:I, s:I, s:s, s:b, s:I, s:i, s:o*}", "name", machine->config.name, "state",
			 machine_state_name(machine_get_state(machine)), "vcpus", (int)machine->config.vcpus,
			 "memory_mib", (json_int_t)(machine->config.memory_size >> 20), "counter_hz",
			 (json_int_t)host_counter_hz(), "level", machine_level_name(machine_level(machine)), "on_page",
			 (int)clock_on_page(&machine->clock), "reference_time",
			 (json_int_t)clock_reference(&machine->clock).v, "pid", (int)getpid(), "restored",
			 restored_json(&machine->restored));
}

/* ---- Migration ---- */

static void migration_progress(void *context, uint32_t round, uint64_t pages_left, uint64_t bytes)
{
	const struct migration *migration = context;

	control_write_line(migration->client,
			   json_pack("{s:{s:i, s:I, s:I}}", "progress", "round", (int)round, "pages_left",
				     (json_int_t)pages_left, "bytes", (json_int_t)bytes));
}

static json_t *report_json(const char *name, const struct source_report *report)
{
	return json_pack("{s:s, s:I, s:I, s:s, s:s, s:i, s:I, s:f, s:I, s:I, s:I, s:I}", "name", name, "from_hz",
			 (json_int_t)report->from_hz, "to_hz", (json_int_t)report->to_hz, "policy", "advance", "level",
			 machine_level_name(report->level), "rounds", (int)report->rounds, "bytes",
			 (json_int_t)report->bytes, "downtime_ms", (double)report->downtime_ns / 1e6, "gap_ns",
			 (json_int_t)report->gap_ns, "stated_bound_ns", (json_int_t)report->stated_bound_ns,
			 "round_trip_ns", (json_int_t)report->round_trip_ns, "intended_step_ns", (json_int_t)0);
}

static enum source_result migration_connect(const struct migration *migration, struct source_report *report,
					    struct error *error)
{
	const struct source_options options = {
		.force = migration->force,
		.progress = migration_progress,
		.context = (void *)migration,
	};
	struct channel channel;
	enum source_result result;

	if (channel_connect(migration->host, &channel, error))
		return SOURCE_FAILED;
	result = source_run(migration->control->machine, &channel, &options, report, error);
	channel_close(&channel);
	return result;
}

static void migration_conclude(const struct migration *migration, enum source_result result,
			       const struct source_report *report, struct error *error)
{
	struct machine *machine = migration->control->machine;
	struct error reason = *error;

	if (result == SOURCE_MOVED) {
		control_write_line(migration->client,
				   json_pack("{s:o}", "ok", report_json(machine->config.name, report)));
		machine_finish(machine, MACHINE_END_MIGRATED);
		return;
	}
	machine_end_migration(machine, result == SOURCE_UNDECIDED ? MACHINE_UNDECIDED : MACHINE_RUNNING);
	if (result == SOURCE_UNDECIDED)
		error_format(
			error,
			"the migration of %s broke after the handover (%.200s): it stays paused here; if it does not "
			"run on "
			"%s, use `seaclock resume %s --force`, else `seaclock stop %s`",
			machine->config.name, reason.text, migration->host, machine->config.name, machine->config.name);
	log_line("%s: %s", machine->config.name, error->text);
	answer_error(migration->client, error);
}

static void *migration_thread(void *argument)
{
	struct migration *migration = argument;
	struct source_report report = { 0 };
	struct error error = { "" };
	enum source_result result = migration_connect(migration, &report, &error);

	migration_conclude(migration, result, &report, &error);
	close(migration->client);
	free(migration);
	return NULL;
}

static int migration_start(struct control *control, int client, const char *host, bool force, struct error *error)
{
	struct migration *migration = calloc(1, sizeof(*migration));
	int result = migration ? machine_begin_migration(control->machine, error)
			       : error_set(error, ENOMEM, "no memory for a migration");

	if (result) {
		free(migration);
		return result;
	}
	*migration = (struct migration){ .control = control, .client = client, .force = force };
	snprintf(migration->host, sizeof(migration->host), "%s", host);
	control_join_migration(control);
	result = pthread_create(&control->migration, NULL, migration_thread, migration);
	control->migration_started = !result;
	if (!result)
		return 0;
	free(migration);
	machine_end_migration(control->machine, MACHINE_RUNNING);
	return error_set(error, result, "no thread for the migration (%s)", strerror(result));
}

/* ---- Requests ---- */

/* What the request says under "clock". */
static int request_policy(const json_t *request, enum sc_clock_policy unsaid, enum sc_clock_policy *policy,
			  struct error *error)
{
	const char *name = json_string_value(json_object_get(request, "clock"));

	*policy = unsaid;
	if (!name || clock_policy_parse(name, policy))
		return 0;
	return error_set(error, EINVAL, "`%.100s` is no policy of the clock: it can advance or freeze", name);
}

/* A machine that is paused already keeps the policy that it has, unless another is named. */
static int control_pause(struct machine *machine, const json_t *request, struct error *error)
{
	enum sc_clock_policy policy;
	int result = request_policy(request, machine_policy(machine), &policy, error);

	if (!result)
		result = machine_pause(machine, error);
	if (!result)
		machine_set_policy(machine, policy);
	return result;
}

static int control_resume(struct machine *machine, const json_t *request, struct error *error)
{
	bool force = json_is_true(json_object_get(request, "force"));
	enum sc_clock_policy policy;
	int result = request_policy(request, machine_policy(machine), &policy, error);

	return result ? result : machine_resume(machine, policy, force, error);
}

/* Without a word a file keeps the policy of the pause that it was made in. */
static int control_save(struct control *control, int client, const json_t *request, struct error *error)
{
	const char *file = json_string_value(json_object_get(request, "file"));
	enum sc_clock_policy policy;
	int result = request_policy(request, machine_policy(control->machine), &policy, error);

	if (!file)
		return error_set(error, EINVAL, "a save needs the name of a file");
	return result ? result : saving_start(&control->saving, control->machine, client, file, policy, error);
}

/* True if the connection now belongs to a migration or a save. */
static bool control_request(struct control *control, int client, const json_t *request)
{
	const char *command = json_string_value(json_object_get(request, "command"));
	const char *host = json_string_value(json_object_get(request, "host"));
	bool force = json_is_true(json_object_get(request, "force"));
	struct machine *machine = control->machine;
	struct error error;

	if (!command)
		command = "";
	if (!strcmp(command, "migrate") && host) {
		int result = migration_start(control, client, host, force, &error);

		if (result)
			answer_error(client, &error);
		return !result;
	}
	if (!strcmp(command, "save")) {
		int result = control_save(control, client, request, &error);

		if (result)
			answer_error(client, &error);
		return !result;
	}
	if (!strcmp(command, "status"))
		control_write_line(client, json_pack("{s:o}", "ok", status_json(machine)));
	else if (!strcmp(command, "pause"))
		answer(client, control_pause(machine, request, &error), &error);
	else if (!strcmp(command, "resume"))
		answer(client, control_resume(machine, request, &error), &error);
	else if (!strcmp(command, "stop"))
		answer(client, machine_stop(machine, &error), &error);
	else
		answer(client, error_set(&error, EINVAL, "the monitor does not know the command `%.100s`", command),
		       &error);
	return false;
}

void control_serve(struct control *control)
{
	int client = accept4(control->listener, NULL, NULL, SOCK_CLOEXEC);
	json_t *request;
	bool taken = false;

	if (client < 0)
		return;
	request = control_read_line(client, REQUEST_TIMEOUT_MS);
	if (request)
		taken = control_request(control, client, request);
	json_decref(request);
	if (!taken)
		close(client);
}
