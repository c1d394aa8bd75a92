/* SPDX-License-Identifier: BSD-2-Clause */
/* A machine's migration as the operator sees it: see the header. */
#include "control/migration.h"

#include "base/log.h"
#include "base/thread.h"
#include "control/inspection.h"
#include "control/line.h"
#include "control/request.h"
#include "migrate/entry.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

void migration_init(struct migration *migration, struct machine *machine)
{
	*migration =
		(struct migration){ .machine = machine, .client = -1, .canceller = -1, .gate = { .cancelled = -1 } };
	migration->files = key_files_none;
	lock_init(&migration->lock, LOCK_MIGRATION);
}

static void migration_join(struct migration *migration)
{
	if (migration->started)
		pthread_join(migration->thread, NULL);
	migration->started = false;
}

void migration_close(struct migration *migration)
{
	migration_join(migration);
	channel_terms_close(&migration->terms);
	json_decref(migration->last);
	lock_destroy(&migration->lock);
}

/* ---- The last one ---- */

/* Takes over `last`, and counts it, unless `count` is NULL. */
static void migration_set_last(struct migration *migration, json_t *last, uint32_t *count)
{
	lock_take(&migration->lock);
	json_decref(migration->last);
	migration->last = last;
	if (count)
		++*count;
	lock_drop(&migration->lock);
}

void migration_note(struct migration *migration, const struct report *report)
{
	migration_set_last(migration, report_json(report), &migration->arrived);
}

json_t *migration_counts(struct migration *migration)
{
	json_t *counts;

	lock_take(&migration->lock);
	counts = json_pack("{s:I, s:I}", "arrived", (json_int_t)migration->arrived, "failed",
			   (json_int_t)migration->failed);
	lock_drop(&migration->lock);
	return counts;
}

json_t *migration_last(struct migration *migration)
{
	json_t *last;

	lock_take(&migration->lock);
	/* A copy: Jansson's reference counts are not thread-safe. */
	last = json_deep_copy(migration->last);
	lock_drop(&migration->lock);
	return last;
}

json_t *migration_now(struct migration *migration)
{
	const uint32_t mib = migration->options.bandwidth_mib;
	json_t *now = NULL;

	lock_take(&migration->lock);
	if (migration->active && !migration->asking && !migration->dry_run)
		now = json_pack("{s:s, s:o*, s:o*}", "host", migration->host, "bandwidth_mib",
				mib ? json_integer(mib) : NULL, "plain", migration->terms.plain ? json_true() : NULL);
	lock_drop(&migration->lock);
	return now;
}

/* ---- Its end ---- */

static void client_answer(int *client, json_t *line)
{
	if (*client < 0) {
		json_decref(line);
		return;
	}
	control_write_line(*client, line);
	close(*client);
	*client = -1;
}

/* From here on it cannot be called off. The client that cancelled is answered here, once the machine is running again.
 */
static void migration_retire(struct migration *migration)
{
	lock_take(&migration->lock);
	migration->active = false;
	client_answer(&migration->canceller, json_pack("{s:b}", "ok", 1));
	lock_drop(&migration->lock);
	gate_close(&migration->gate);
	key_files_close(&migration->files);
}

static void explain_undecided(const struct migration *migration, struct error *error)
{
	const char *name = migration->machine->config.name;
	struct error reason = *error;

	error_record(error, ENOTRECOVERABLE,
		     "%s cannot say what became of %s after the handover (%.200s), so it stays paused here: `seaclock "
		     "resume %s` asks again; if it does not run there, `seaclock resume %s --force`, else `seaclock "
		     "stop %s`",
		     migration->host, name, reason.text, name, name, name);
}

static void explain_paused(const struct migration *migration, struct error *error)
{
	const char *name = migration->machine->config.name;
	struct error reason = *error;

	error_record(error, EL2HLT,
		     "%.300s; %s stays paused, because its clock cannot be started: `seaclock resume %s` tries again",
		     reason.text, name, name);
}

static void explain_diskless(const struct migration *migration, struct error *error)
{
	const char *name = migration->machine->config.name;
	struct error reason = *error;

	error_record(error, EL3HLT,
		     "%.300s; %s stays paused, because its disks cannot be taken back: `seaclock resume %s` tries "
		     "again",
		     reason.text, name, name);
}

/* The guest is here, running or paused. */
static void migration_fail(struct migration *migration, enum source_state state, struct error *error)
{
	struct machine *machine = migration->machine;
	bool runs;

	if (state == SOURCE_UNDECIDED) {
		explain_undecided(migration, error);
		machine_set_policy(machine, migration->options.policy);
	}
	if (state == SOURCE_DISKLESS)
		explain_diskless(migration, error);
	machine_end_migration(machine, state == SOURCE_UNDECIDED ? MACHINE_UNDECIDED : MACHINE_RUNNING);
	runs = machine_get_state(machine) == MACHINE_RUNNING;
	if (state == SOURCE_RUNNING && machine_get_state(machine) == MACHINE_PAUSED)
		explain_paused(migration, error);
	migration_set_last(migration, control_error(error), &migration->failed);
	log_line("%s: %s", machine->config.name, error->text);
	entry_failed(ENTRY_SOURCE, machine->config.name, migration->host, &migration->report.id, error);
	migration_retire(migration);
	/* The client asked for the machine to resume here, and it has. */
	if (migration->asking && runs)
		client_answer(&migration->client, json_pack("{s:b}", "ok", 1));
	else
		client_answer(&migration->client, control_error(error));
}

/* A result, with what the operator should know besides. */
static json_t *with_remark(const struct migration *migration, json_t *result)
{
	char remark[NETS_REMARK_MAX];

	nets_remark(&migration->machine->config, remark);
	if (remark[0])
		json_object_set_new(result, "remark", json_string(remark));
	return result;
}

/* The guest runs on the other host. */
static void migration_succeed(struct migration *migration, struct error *error)
{
	struct machine *machine = migration->machine;

	migration_set_last(migration, report_json(&migration->report), NULL);
	entry_moved(ENTRY_SOURCE, machine->config.name, migration->host, &migration->report);
	migration_retire(migration);
	error_record(error, EREMOTE, "%s runs on %s: it is not resumed here, and ends", machine->config.name,
		     migration->host);
	client_answer(&migration->client,
		      migration->asking
			      ? control_error(error)
			      : json_pack("{s:o}", "ok", with_remark(migration, report_json(&migration->report))));
	machine_finish(machine, MACHINE_END_MIGRATED);
}

static void migration_conclude(struct migration *migration, enum source_state state, struct error *error)
{
	if (state == SOURCE_GONE)
		migration_succeed(migration, error);
	else
		migration_fail(migration, state, error);
}

/* ---- Its thread ---- */

static void migration_progress(void *context, const struct precopy_progress *progress)
{
	const struct migration *migration = context;

	control_write_progress(migration->client,
			       json_pack("{s:{s:i, s:I, s:I, s:I, s:f}}", "progress", "round", (int)progress->round,
					 "bytes_left", (json_int_t)progress->bytes_left, "bytes_sent",
					 (json_int_t)progress->bytes_sent, "rate", (json_int_t)progress->rate,
					 "expected_downtime_ms", (double)progress->downtime_ns / 1e6));
}

static int migration_connect(struct migration *migration, struct channel *channel, struct error *error)
{
	const struct wait_watch watch = { .fd = migration->gate.cancelled, .fn = gate_on_cancel };

	int result = channel_connect(channel, migration->host, migration->options.limits->frame_ms, &migration->terms,
				     &watch, error);

	if (!result)
		channel_peer(channel, migration->peer);
	return result;
}

static void *migration_thread(void *argument)
{
	struct migration *migration = argument;
	enum source_state state = SOURCE_RUNNING;
	struct error error = { .text = "" };
	struct channel channel;

	if (!migration_connect(migration, &channel, &error)) {
		state = source_run(migration->machine, &channel, &migration->options, &migration->report, &error);
		channel_close(&channel);
	}
	migration_conclude(migration, state, &error);
	return NULL;
}

/* `kernel` is the guest's; NULL if nobody has looked for it. */
static json_t *verdict_json(const struct report *report, const struct kernel *kernel)
{
	return json_pack("{s:s, s:s, s:I, s:I, s:s, s:b, s:o*}", "verdict", "ok", "name", report->name, "from_hz",
			 (json_int_t)report->from_hz, "to_hz", (json_int_t)report->to_hz, "level",
			 machine_level_name(report->level), "inferred", (int)report->inferred, "kernel",
			 kernel ? kernel_json(kernel) : NULL);
}

/* For a guest that cannot follow by itself, also where it was refused: `status` has it from here on. */
static bool dry_run_find_kernel(struct migration *migration, struct kernel *kernel)
{
	const char *name = migration->machine->config.name;
	struct error error;

	if (machine_known_follow(migration->machine).level != SC_LEVEL_NONE)
		return false;
	if (!kernel_find(migration->machine, kernel, &error))
		return true;
	log_line("%s: its kernel was not looked for: %s", name, error.text);
	return false;
}

static void *dry_run_thread(void *argument)
{
	struct migration *migration = argument;
	struct report *report = &migration->report;
	struct kernel kernel;
	struct error error;
	struct channel channel;
	bool found;
	int result = migration_connect(migration, &channel, &error);

	if (!result) {
		result = source_try(migration->machine, &channel, &migration->options, report, &error);
		channel_close(&channel);
	}
	found = dry_run_find_kernel(migration, &kernel);
	machine_end_migration(migration->machine, MACHINE_RUNNING);
	migration_retire(migration);
	client_answer(&migration->client,
		      result ? control_error(&error)
			     : json_pack("{s:o}", "ok",
					 with_remark(migration, verdict_json(report, found ? &kernel : NULL))));
	return NULL;
}

static void *ask_thread(void *argument)
{
	struct migration *migration = argument;
	struct error error = { .text = "" };
	enum source_state state = source_ask_again(migration->machine, &migration->options, &migration->report, &error);

	migration_conclude(migration, state, &error);
	return NULL;
}

static int migration_start(struct migration *migration, void *(*run)(void *), struct error *error)
{
	int result = thread_start(&migration->thread, THREAD_MIGRATION, run, migration);

	return result ? error_set(error, result, "no thread for the migration (%s)", strerror(result)) : 0;
}

/* The machine is MACHINE_MIGRATING. If no thread can be started, it returns to the state `before`. */
static int migration_spawn(struct migration *migration, int client, void *(*run)(void *), enum machine_state before,
			   struct error *error)
{
	int result;

	migration->client = client;
	lock_take(&migration->lock);
	migration->active = true;
	lock_drop(&migration->lock);
	result = migration_start(migration, run, error);
	migration->started = !result;
	if (!result)
		return 0;
	migration->client = -1;
	machine_end_migration(migration->machine, before);
	migration_retire(migration);
	return result;
}

/* ---- Requests ---- */

/* None of them, or all but crl.pem, or all. */
static int migration_take_files(struct migration *migration, struct descriptors *passed, bool wanted,
				struct error *error)
{
	uint32_t count = passed->count;

	key_files_close(&migration->files);
	if (count ? count < KEY_FILE_CRL : wanted)
		return error_set(error, EINVAL,
				 "the keys that come with a request are %d files, or %d with crl.pem, and not %u",
				 KEY_FILE_CRL, KEY_FILES, count);
	for (uint32_t n = 0; n < count; n++)
		migration->files.fd[n] = descriptors_take(passed);
	return 0;
}

/* What the last migration has had open is not needed any more. */
static int migration_terms(struct migration *migration, struct descriptors *passed, const json_t *request,
			   struct error *error)
{
	const char *folder = request_text(request, "tls");
	bool plain = request_flag(request, "plain");
	int result = migration_take_files(migration, passed, folder, error);

	channel_terms_close(&migration->terms);
	if (result)
		return result;
	if (folder && (plain || folder[0] != '/' || strlen(folder) >= sizeof(migration->folder)))
		return error_set(error, EINVAL,
				 "\"tls\" is the path of a folder from the root, in fewer than %zu bytes, and not with "
				 "\"plain\"",
				 sizeof(migration->folder));
	if (folder)
		memcpy(migration->folder, folder, strlen(folder) + 1);
	migration->terms = (struct channel_terms){
		.plain = plain,
		.folder = folder ? migration->folder : NULL,
		.files = &migration->files,
	};
	if (plain)
		log_line("%s: goes to %s without TLS, as it was told: others may read it, and take it",
			 migration->machine->config.name, migration->host);
	return 0;
}

static int migration_options(struct migration *migration, struct descriptors *passed, const json_t *request,
			     struct error *error)
{
	struct source_options *options = &migration->options;
	const char *host = request_text(request, "host");
	int result;

	*options = (struct source_options){
		.host = migration->peer,
		.terms = { .inferred = request_flag(request, "inferred"),
			   .repair = request_flag(request, "repair"),
			   .force = request_flag(request, "force") },
		.downtime_ms = request_number(request, "downtime_ms", SOURCE_DOWNTIME_MS),
		.bandwidth_mib = request_number(request, "bandwidth_mib", 0),
		.max_step_us = request_number(request, "max_step_us", SOURCE_MAX_STEP_US),
		.gate = &migration->gate,
		.progress = migration_progress,
		.context = migration,
		.limits = &handover_limits,
		.channel = &migration->terms,
	};
	migration->asking = false;
	migration->dry_run = request_flag(request, "dry_run");
	if (!host || strlen(host) >= sizeof(migration->host))
		return error_set(error, EINVAL, "a migration needs a host, in fewer than %zu characters",
				 sizeof(migration->host));
	memcpy(migration->host, host, strlen(host) + 1);
	result = migration_terms(migration, passed, request, error);
	return result ? result : request_policy(request, SC_CLOCK_ADVANCE, &options->policy, error);
}

static int migration_begin(struct migration *migration, int client, struct descriptors *passed, const json_t *request,
			   struct error *error)
{
	int result = machine_begin_migration(migration->machine, error);

	if (result)
		return result;
	/* The previous one is over: otherwise the machine would still be migrating. */
	migration_join(migration);
	migration->report = (struct report){ 0 };
	result = migration_options(migration, passed, request, error);
	if (!result)
		result = gate_open(&migration->gate, error);
	if (!result)
		return migration_spawn(migration, client, migration->dry_run ? dry_run_thread : migration_thread,
				       MACHINE_RUNNING, error);
	key_files_close(&migration->files);
	machine_end_migration(migration->machine, MACHINE_RUNNING);
	return result;
}

static int migration_cancel(struct migration *migration, int client, struct error *error)
{
	const char *name = migration->machine->config.name;
	int result = 0;

	lock_take(&migration->lock);
	if (!migration->active)
		result = error_set(error, ENODATA, "%s is not being migrated", name);
	else if (migration->canceller >= 0)
		result = error_set(error, EALREADY, "the migration of %s is being cancelled already", name);
	else if (!gate_cancel(&migration->gate))
		result =
			error_set(error, EBUSY, "it is too late: %s has been handed over to %s", name, migration->host);
	else
		migration->canceller = client;
	lock_drop(&migration->lock);
	return result;
}

void migration_call_off(struct migration *migration)
{
	lock_take(&migration->lock);
	if (migration->active && !gate_cancel(&migration->gate))
		log_line("%s has been handed over to %s: it ends here once that is decided",
			 migration->machine->config.name, migration->host);
	lock_drop(&migration->lock);
}

int migration_request(struct migration *migration, int client, struct descriptors *passed, const json_t *request,
		      struct error *error)
{
	if (request_flag(request, "cancel"))
		return migration_cancel(migration, client, error);
	return migration_begin(migration, client, passed, request, error);
}

int migration_ask(struct migration *migration, int client, enum sc_clock_policy policy, struct error *error)
{
	int result = machine_begin_question(migration->machine, error);

	if (result)
		return result;
	migration_join(migration);
	migration->asking = true;
	migration->options.policy = policy;
	return migration_spawn(migration, client, ask_thread, MACHINE_UNDECIDED, error);
}
