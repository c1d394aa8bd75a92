/* SPDX-License-Identifier: BSD-2-Clause */
/* A save that an operator asked for: see the header. */
#include "control/saving.h"

#include "base/log.h"
#include "base/thread.h"
#include "control/line.h"
#include "host/deadline.h"
#include "snapshot/save.h"
#include "transfer/wait.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* How long a client may take to give the file its name, while the guest stands still. */
#define NAME_LIMIT_MS 30000
/* And for the line that says so, once it has begun. */
#define WORD_LIMIT_MS 1000

struct saving_job {
	struct machine *machine;
	int client;
	int fd;
	struct gate *gate;
	char path[PATH_MAX];
	struct saving_order order; /* with that path */
	enum machine_state before;
};

/* A wait_watch_fn: the client has nothing to say before it is asked to name the file. */
static int client_on_word(void *context, struct error *error)
{
	(void)context;
	return error_set(error, ECANCELED, "the save was cancelled by who asked for it");
}

static void saving_progress(void *context, uint64_t bytes_left)
{
	const struct saving_job *job = context;

	control_write_progress(job->client, json_pack("{s:{s:I}}", "progress", "bytes_left", (json_int_t)bytes_left));
}

/* Has the client give the file its name. */
static int saving_name(void *context, struct error *error)
{
	const struct saving_job *job = context;
	const struct wait_watch watch = { .fd = job->gate->cancelled, .fn = save_on_cancel };
	sc_ns_t deadline = deadline_after_ms(NAME_LIMIT_MS);
	json_t *word;
	bool ready, named;
	int result = control_send_line(job->client, json_pack("{s:b}", "written", 1));

	if (result)
		return error_set(error, ECANCELED, "the save was cancelled: who asked for it cannot be told (%s)",
				 strerror(-result));
	result = wait_ready(job->client, POLLIN, deadline, &watch, 1, &ready, error);
	if (result)
		return result;
	word = ready ? control_read_line(job->client, WORD_LIMIT_MS) : NULL;
	named = json_is_true(json_object_get(word, "named"));
	json_decref(word);
	if (named)
		return 0;
	return ready ? client_on_word(NULL, error)
		     : error_set(error, ETIMEDOUT, "the save was cancelled: its file got no name within %d s",
				 NAME_LIMIT_MS / 1000);
}

static json_t *saving_report(const struct saving_job *job, const struct save_report *report)
{
	return json_pack("{s:s, s:s, s:I, s:I, s:s, s:s, s:f}", "name", job->machine->config.name, "file", job->path,
			 "bytes", (json_int_t)report->bytes, "counter_hz", (json_int_t)report->hz, "level",
			 machine_level_name(report->level), "policy", clock_policy_name(job->order.policy),
			 "stopped_ms", (double)report->stopped_ns / 1e6);
}

static void saving_run(struct saving_job *job)
{
	const struct wait_watch client = { .fd = job->client, .fn = client_on_word };
	const struct save_options options = {
		.fd = job->fd,
		.path = job->path,
		.policy = job->order.policy,
		.repair = job->order.repair,
		.force = job->order.force,
		.gate = job->gate,
		.client = &client,
		.limits = &handover_limits,
		.progress = saving_progress,
		.name = saving_name,
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
	close(job->fd);
	free(job);
	return NULL;
}

static int job_check(const char *path, const struct descriptors *passed, struct error *error)
{
	if (path[0] != '/' || strlen(path) >= PATH_MAX)
		return error_set(error, EINVAL, "`%.100s` is not the absolute path of a file", path);
	if (!passed->count)
		return error_set(error, EINVAL, "a save needs the file's descriptor, which goes with the request");
	return 0;
}

static int job_run(struct saving *saving, struct saving_job *job, struct error *error)
{
	int result = machine_begin_save(job->machine, &job->before, error);

	if (result)
		return result;
	saving_join(saving);
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

int saving_start(struct saving *saving, struct machine *machine, int client, struct descriptors *passed,
		 const struct saving_order *order, struct error *error)
{
	struct saving_job *job;
	int result = job_check(order->path, passed, error);

	if (result)
		return result;
	job = calloc(1, sizeof(*job));
	if (!job)
		return error_set(error, ENOMEM, "no memory for a save");
	*job = (struct saving_job){
		.machine = machine,
		.client = client,
		.fd = passed->fd[0],
		.gate = &saving->gate,
		.order = *order,
	};
	snprintf(job->path, sizeof(job->path), "%s", order->path);
	job->order.path = job->path;
	result = job_run(saving, job, error);
	if (result)
		free(job);
	else
		passed->count = 0;
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
