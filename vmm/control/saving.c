/* SPDX-License-Identifier: BSD-2-Clause */
/* A save that an operator asked for: see the header. */
#include "control/saving.h"

#include "base/log.h"
#include "base/thread.h"
#include "control/line.h"
#include "machine/reach.h"
#include "snapshot/save.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct saving_job {
	struct machine *machine;
	int client;
	struct gate *gate;
	char path[PATH_MAX];
	enum sc_clock_policy policy;
	bool force;
	enum machine_state before;
};

static void saving_progress(void *context, uint64_t bytes_left)
{
	const struct saving_job *job = context;

	control_write_progress(job->client, json_pack("{s:{s:I}}", "progress", "bytes_left", (json_int_t)bytes_left));
}

static json_t *saving_report(const struct saving_job *job, const struct save_report *report)
{
	return json_pack("{s:s, s:s, s:I, s:I, s:s, s:s, s:f}", "name", job->machine->config.name, "file", job->path,
			 "bytes", (json_int_t)report->bytes, "counter_hz", (json_int_t)report->hz, "level",
			 machine_level_name(report->level), "policy", clock_policy_name(job->policy), "stopped_ms",
			 (double)report->stopped_ns / 1e6);
}

static void saving_run(struct saving_job *job)
{
	const struct save_options options = {
		.path = job->path,
		.policy = job->policy,
		.force = job->force,
		.gate = job->gate,
		.limits = &handover_limits,
		.progress = saving_progress,
		.context = job,
	};
	struct save_report report;
	struct error error;

	if (save_run(job->machine, &options, &report, &error)) {
		machine_end_save(job->machine, job->before);
		log_line("%s: %s", job->machine->config.name, error.text);
		control_write_line(job->client, control_error(&error));
		return;
	}
	log_line("%s is saved in %s", job->machine->config.name, job->path);
	control_write_line(job->client, json_pack("{s:o}", "ok", saving_report(job, &report)));
	machine_finish(job->machine, MACHINE_END_SAVED);
}

static void *saving_thread(void *argument)
{
	struct saving_job *job = argument;

	saving_run(job);
	close(job->client);
	free(job);
	return NULL;
}

static int job_check_path(const char *path, struct error *error)
{
	if (path[0] != '/' || strlen(path) >= PATH_MAX)
		return error_set(error, EINVAL, "`%.100s` is not the absolute path of a file", path);
	return 0;
}

static int job_run(struct saving *saving, struct saving_job *job, struct error *error)
{
	int result = machine_begin_save(job->machine, &job->before, error);

	if (result)
		return result;
	saving_join(saving);
	result = reach_set_save(job->path, error);
	if (!result)
		result = gate_open(&saving->gate, error);
	if (!result) {
		result = thread_start(&saving->thread, THREAD_SAVE, saving_thread, job);
		saving->started = !result;
		if (!result)
			return 0;
		gate_close(&saving->gate);
		result = error_set(error, result, "no thread for the save (%s)", strerror(result));
	}
	machine_end_save(job->machine, job->before);
	return result;
}

int saving_start(struct saving *saving, struct machine *machine, int client, const char *path,
		 enum sc_clock_policy policy, bool force, struct error *error)
{
	struct saving_job *job;
	int result = job_check_path(path, error);

	if (result)
		return result;
	job = calloc(1, sizeof(*job));
	if (!job)
		return error_set(error, ENOMEM, "no memory for a save");
	*job = (struct saving_job){
		.machine = machine,
		.client = client,
		.gate = &saving->gate,
		.policy = policy,
		.force = force,
	};
	snprintf(job->path, sizeof(job->path), "%s", path);
	result = job_run(saving, job, error);
	if (result)
		free(job);
	return result;
}

void saving_join(struct saving *saving)
{
	if (!saving->started)
		return;
	pthread_join(saving->thread, NULL);
	gate_close(&saving->gate);
	saving->started = false;
}

void saving_call_off(struct saving *saving)
{
	if (saving->started)
		gate_cancel(&saving->gate);
}
