/* SPDX-License-Identifier: BSD-2-Clause */
/* The client's end of the control socket: see the header. */
#include "control/client.h"

#include "base/text.h"
#include "control/connection.h"
#include "control/line.h"
#include "control/request.h"
#include "host/deadline.h"
#include "transfer/limits.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

/* The time limit for what a monitor answers at once. */
#define SHORT_ANSWER_MS 3000

/*
 * The longest silence between two lines of a migration: a peer may be silent for frame_ms, and asking it what became of
 * the guest may take question_ms. Twice that, for a slow host.
 */
#define LONG_ANSWER_MS (2 * (handover_limits.frame_ms + handover_limits.question_ms))

static int client_closed(const char *name, struct error *error)
{
	return error_set(error, EPIPE, "the monitor of %s closed its control socket without an answer", name);
}

/* It has ended, or was killed: what was asked for may have happened. */
static int client_broken(const char *name, struct error *error)
{
	return error_set(error, ENOMSG,
			 "the monitor of %s has ended without an answer: its log says why, unless it was killed", name);
}

/* No advice to kill the monitor: the request may still be under way, and the guest would be lost with it. */
static int client_unheard(const char *name, struct error *error)
{
	return error_set(error, ENOMSG,
			 "the monitor of %s has said nothing for %d s: what was asked for may still be under way, as "
			 "`seaclock status %s` tells",
			 name, LONG_ANSWER_MS / 1000, name);
}

/* A monitor that another release has started: in its words, or in ours if it says which version it takes. */
static void client_foreign(const char *name, const json_t *line, const char *sentence, struct error *error)
{
	const json_t *version = json_object_get(line, "version");

	if (json_is_integer(version))
		error_record(error, EPROTONOSUPPORT,
			     "the monitor of %s speaks version %lld of the control protocol, and this program version "
			     "%d: use the release that started it",
			     name, (long long)json_integer_value(version), CONTROL_VERSION);
	else
		error_record(error, EPROTONOSUPPORT, "the monitor of %s does not take this program's requests: %s",
			     name, sentence);
}

/* The monitor's words, which a guest may have chosen that has taken it over. */
static const char *client_sentence(const json_t *line)
{
	const char *sentence = json_string_value(json_object_get(line, "error"));

	if (!text_is_plain(sentence))
		return "its monitor refuses, with a sentence that cannot be printed";
	return sentence[0] ? sentence : "its monitor refuses, and gives no reason";
}

/* Passes on the monitor's sentence and its code. */
static void client_refused(const char *name, const json_t *line, struct error *error)
{
	const char *sentence = client_sentence(line);
	const char *code = json_string_value(json_object_get(line, "code"));
	int err = code ? error_of_code(code) : 0;

	if (err == EPROTONOSUPPORT)
		client_foreign(name, line, sentence, error);
	else
		error_record(error, err, "%s", sentence);
}

/* True if the line is the result, or -EINPROGRESS: a file is to be named before there is one. */
static bool client_take(const char *name, const json_t *line, const struct client_watch *watch, json_t **answer,
			int *result, struct error *error)
{
	const json_t *progress = json_object_get(line, "progress");

	bool refused = json_is_string(json_object_get(line, "error"));

	*answer = json_incref(json_object_get(line, "ok"));
	*result = *answer ? 0 : -EREMOTEIO;
	if (progress && watch)
		watch->progress(watch->context, progress);
	if (refused)
		client_refused(name, line, error);
	if (watch && watch->passed && watch->passed->name && json_is_true(json_object_get(line, "written"))) {
		*result = -EINPROGRESS;
		return true;
	}
	return *answer || refused;
}

/* Waits for the result, up to limit_ms for each line. */
static int client_wait(const char *name, int fd, int limit_ms, const struct client_watch *watch, json_t **answer,
		       struct error *error)
{
	json_t *line;

	while ((line = control_read_line(fd, limit_ms))) {
		int result;
		bool over = client_take(name, line, watch, answer, &result, error);

		json_decref(line);
		if (over)
			return result;
	}
	if (errno == ETIMEDOUT)
		return connection_silent(name, error);
	if (errno == ENOMEM)
		return error_set(error, ENOMSG, "no memory for what the monitor of %s has answered", name);
	return client_closed(name, error);
}

/* Takes over `request`; `passed` may be NULL. */
static int client_write(const char *name, int fd, json_t *request, const struct client_passed *passed,
			struct error *error)
{
	int result = -ENOMEM;

	if (!json_object_size(request))
		json_decref(request);
	else if (passed)
		result = control_send_request(fd, request, &passed->descriptors);
	else
		result = control_send_line(fd, request);
	if (result == -EPIPE)
		return client_closed(name, error);
	if (result)
		return error_set(error, error_of_call(-result), "the monitor of %s cannot be asked (%s)", name,
				 strerror(-result));
	return 0;
}

/* Connects and sends. Takes over `request`. */
static int client_send(const char *name, json_t *request, const struct client_passed *passed, int *fd,
		       struct error *error)
{
	int result = connection_open(name, fd, error);

	if (result) {
		json_decref(request);
		return result;
	}
	result = client_write(name, *fd, request, passed, error);
	if (result)
		close(*fd);
	return result;
}

/* The same for what may take long: the monitor may have ended, or have said nothing for too long. */
static int client_hear(const char *name, int fd, const struct client_watch *watch, json_t **answer, struct error *error)
{
	int result = client_wait(name, fd, LONG_ANSWER_MS, watch, answer, error);

	if (result == -ETIMEDOUT)
		return client_unheard(name, error);
	return result == -EPIPE ? client_broken(name, error) : result;
}

/* The monitor is told that the file gets no name, and its answer waited for: then the guest goes on. */
static void client_give_up(const char *name, int fd)
{
	struct error ignored;
	json_t *answer = NULL;

	shutdown(fd, SHUT_WR);
	client_hear(name, fd, NULL, &answer, &ignored);
	json_decref(answer);
}

/* The file is filled. */
static int client_name(const char *name, int fd, const struct client_watch *watch, json_t **answer, struct error *error)
{
	int result = watch->passed->name(watch->passed->context, error);
	int sent = result ? 0 : control_send_line(fd, json_pack("{s:b}", "named", 1));

	if (sent)
		result = error_set(error, ECANCELED, "the monitor of %s cannot be told that its file has a name (%s)",
				   name, strerror(-sent));
	if (result) {
		client_give_up(name, fd);
		return result;
	}
	result = client_hear(name, fd, watch, answer, error);
	return result == -EINPROGRESS ? client_broken(name, error) : result;
}

int client_ask(const char *name, json_t *request, const struct client_watch *watch, json_t **answer,
	       struct error *error)
{
	int fd;
	int result = client_send(name, request, watch ? watch->passed : NULL, &fd, error);

	if (result)
		return result;
	result = client_hear(name, fd, watch, answer, error);
	if (watch && result == -EINPROGRESS)
		result = client_name(name, fd, watch, answer, error);
	close(fd);
	return result;
}

int client_attach(const char *name, bool virtio, int *fd, struct error *error)
{
	json_t *answer = NULL, *request = request_make("console");
	int least = 0, result;

	request_set_flag(request, "virtio", virtio);
	result = client_send(name, request, NULL, fd, error);
	if (result)
		return result;
	/* Little is on its way that the guest has not taken: it would be lost at the end. */
	setsockopt(*fd, SOL_SOCKET, SO_SNDBUF, &least, sizeof(least));
	result = client_wait(name, *fd, SHORT_ANSWER_MS, NULL, &answer, error);
	json_decref(answer);
	if (result)
		close(*fd);
	return result;
}

/* ---- The monitor's process ---- */

/* A pidfd of the process at the other end of the connection; -1 if there is none. */
static int peer_open(int fd)
{
	struct ucred peer = { .pid = 0 };
	socklen_t size = sizeof(peer);
	char byte;
	int process;

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) || peer.pid <= 0)
		return -1;
	process = (int)syscall(SYS_pidfd_open, peer.pid, 0);
	/* If the connection is still open, its process lived when the pidfd was opened: the pid had not been reused. */
	if (process < 0 || (recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0 && errno == EAGAIN))
		return process;
	close(process);
	return -1;
}

/* ---- shutdown ---- */

/* Nobody serves its control socket, whose monitor may be held up by the kernel. */
static bool client_has_ended(const char *name)
{
	struct error ignored;
	int fd, result = connection_open(name, &fd, &ignored);

	if (!result)
		close(fd);
	return result == -ESRCH;
}

/* Until the process ends. */
static int shutdown_wait(const char *name, int process, uint32_t wait_s, struct error *error)
{
	struct pollfd gone = { .fd = process, .events = POLLIN };
	sc_ns_t deadline = deadline_after_ms((int)wait_s * 1000);
	int result;

	do
		result = poll(&gone, 1, deadline_left_ms(deadline));
	while (result < 0 && errno == EINTR);
	if (result > 0)
		return 0;
	if (client_has_ended(name))
		return error_set(error, ETIMEDOUT,
				 "%s has ended, and its monitor has not, %u s after its power button was pressed: a "
				 "disk, or a file that it writes, does not answer",
				 name, wait_s);
	return error_set(error, ETIMEDOUT,
			 "%s has not ended %u s after its power button was pressed: its guest takes longer, or does "
			 "not heed the button",
			 name, wait_s);
}

int client_shutdown(const char *name, uint32_t wait_s, struct error *error)
{
	json_t *answer = NULL;
	int fd, process, result = connection_open(name, &fd, error);

	if (result)
		return result;
	/* Before the request: the answer may be the last thing that the process does. */
	process = wait_s ? peer_open(fd) : -1;
	result = client_write(name, fd, request_make("shutdown"), NULL, error);
	if (!result)
		result = client_wait(name, fd, SHORT_ANSWER_MS, NULL, &answer, error);
	close(fd);
	json_decref(answer);
	if (!result && wait_s && process < 0)
		result = error_set(error, ENOTSUP, "the monitor of %s is no process that can be waited for here", name);
	else if (!result && wait_s)
		result = shutdown_wait(name, process, wait_s, error);
	if (process >= 0)
		close(process);
	return result;
}

/* ---- stop --now ---- */

static int peer_kill(int process, const char *name, const char *why, struct error *error)
{
	struct pollfd gone = { .fd = process, .events = POLLIN };

	if (process >= 0 && !syscall(SYS_pidfd_send_signal, process, SIGKILL, NULL, 0) &&
	    poll(&gone, 1, SHORT_ANSWER_MS) == 1)
		return 0;
	return error_set(error, ETIMEDOUT, "the monitor of %s %s, and cannot be killed", name, why);
}

/* Sends the order. Why the monitor has to be killed instead; NULL: it need not be. */
static const char *stop_order(const char *name, int fd, int *result, struct error *error)
{
	json_t *answer = NULL, *request = request_make("stop");

	request_set_flag(request, "now", true);
	*result = client_write(name, fd, request, NULL, error);
	if (!*result)
		*result = client_wait(name, fd, SHORT_ANSWER_MS, NULL, &answer, error);
	json_decref(answer);
	if (*result == -ETIMEDOUT)
		return "did not answer";
	if (*result == -EREMOTEIO && error->err == EPROTONOSUPPORT)
		return "speaks another version of the control protocol";
	return NULL;
}

int client_stop_now(const char *name, const char **killed, struct error *error)
{
	int fd, process, result = connection_open(name, &fd, error);
	const char *why;

	*killed = NULL;
	if (result)
		return result;
	/* Before the order: a monitor that answers closes the connection. */
	process = peer_open(fd);
	why = stop_order(name, fd, &result, error);
	if (why)
		result = peer_kill(process, name, why, error);
	if (why && !result)
		*killed = why;
	close(fd);
	if (process >= 0)
		close(process);
	return result;
}

/* ---- status ---- */

/* A machine that was sent a status request. */
struct asked {
	char name[NAME_SIZE];
	int fd;	    /* -1: the request could not be sent, */
	int result; /* and this is the error */
};

static struct asked status_ask(const char *name, struct error *error)
{
	struct asked asked = { .fd = -1 };

	snprintf(asked.name, sizeof(asked.name), "%s", name);
	asked.result = client_send(name, request_make("status"), NULL, &asked.fd, error);
	if (asked.result)
		asked.fd = -1;
	return asked;
}

static int status_take(const struct asked *asked, int limit_ms, json_t **status, struct error *error)
{
	int result = asked->result;

	if (!result)
		result = client_wait(asked->name, asked->fd, limit_ms, NULL, status, error);
	if (asked->fd >= 0)
		close(asked->fd);
	return result;
}

/* Asks every machine that is found here. The caller frees the array. -errno. */
static int status_ask_all(struct asked **all, size_t *count, struct error *error)
{
	char(*names)[NAME_SIZE];
	struct error ignored;
	int result = connection_names(&names, count, error);

	*all = NULL;
	if (result)
		return result;
	*all = calloc(*count + 1, sizeof(**all));
	for (size_t n = 0; *all && n < *count; n++)
		(*all)[n] = status_ask(names[n], &ignored);
	free(names);
	return *all ? 0 : error_set(error, ENOMEM, "no memory for what the monitors answer");
}

/*
 * False if the machine is gone: it ended meanwhile, or the socket was left behind by a monitor that was killed. Or it
 * is another user's, who has a unit here.
 */
static bool status_is_silence(int result)
{
	return result != -ESRCH && result != -EPIPE && result != -EACCES;
}

static json_t *status_failed(const char *name, const struct error *error)
{
	json_t *status = json_pack("{s:s}", "name", name);

	json_object_update_new(status, control_error(error));
	return status;
}

int client_status(const char *name, json_t **status, struct error *error)
{
	struct asked asked = status_ask(name, error);

	return status_take(&asked, SHORT_ANSWER_MS, status, error);
}

/* Monitors that gave no status. */
struct missing {
	size_t silent;
	size_t refused;
};

/* A machine's answer; NULL if it is gone. */
static json_t *status_of(const struct asked *asked, int limit_ms, struct missing *missing)
{
	json_t *status = NULL;
	struct error error;
	int result = status_take(asked, limit_ms, &status, &error);

	if (!result)
		return status;
	if (!status_is_silence(result))
		return NULL;
	if (result == -EREMOTEIO)
		missing->refused++;
	else
		missing->silent++;
	return status_failed(asked->name, &error);
}

int client_status_all(json_t **all, struct error *error)
{
	sc_ns_t deadline = deadline_after_ms(SHORT_ANSWER_MS);
	struct asked *asked;
	struct missing missing = { 0 };
	size_t count;
	int result = status_ask_all(&asked, &count, error);

	*all = NULL;
	if (result)
		return result;
	*all = json_array();
	/* One deadline for all of them. */
	for (size_t n = 0; n < count; n++) {
		json_t *status = status_of(&asked[n], deadline_left_ms(deadline), &missing);

		if (status)
			json_array_append_new(*all, status);
	}
	free(asked);
	if (missing.silent)
		return error_set(error, ETIMEDOUT, "%zu of %zu monitors did not answer within %d s", missing.silent,
				 json_array_size(*all), SHORT_ANSWER_MS / 1000);
	if (missing.refused)
		return error_set(error, EPROTONOSUPPORT, "%zu of %zu monitors gave no status, as the list says",
				 missing.refused, json_array_size(*all));
	return 0;
}
