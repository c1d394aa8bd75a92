/* SPDX-License-Identifier: BSD-2-Clause */
/* `seaclock renew`: see the header. */
#include "command/renew.h"

#include "base/file.h"
#include "base/named_socket.h"
#include "command/ask.h"
#include "command/monitor.h"
#include "command/print.h"
#include "command/receive.h"
#include "command/verb.h"
#include "control/folder.h"
#include "control/request.h"
#include "control/socket.h"
#include "host/deadline.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* How long the old process may take to end once the guest runs in the new one: longer than its teardown may. */
#define NAME_LIMIT_MS (TEARDOWN_MS + 10000)
#define NAME_RETRY_MS 5
/* How long the new one may take to end: a receiver waits for a source's question, and closes what it has. */
#define END_LIMIT_MS (2 * TEARDOWN_MS)

struct renewal {
	const char *name;
	struct sockaddr_un address; /* where the new process receives, */
	char path[PATH_MAX];	    /* and the same from the root, for the old one */
	int listener;
	pid_t process; /* the new one, */
	int life;      /* and a pipe that nobody writes to any more once it has ended */
};

/* ---- What can be refused at once ---- */

/* Its process would not be in the unit's cgroup, and have another user. */
static int renew_check_place(const char *name, struct error *error)
{
	struct sockaddr_un own, unit;
	int result = control_address(name, &own, error);

	if (result || !access(own.sun_path, F_OK) || !control_unit_address(name, &unit) || access(unit.sun_path, F_OK))
		return result;
	return error_set(error, EPERM, "%s is a unit's machine: `systemctl reload seaclock@%s` renews it", name, name);
}

static int renew_check(const char *name, struct error *error)
{
	json_t *status;
	int result = monitor_check_name(name, error);

	if (!result)
		result = renew_check_place(name, error);
	if (!result)
		result = client_status(name, &status, error);
	if (!result)
		json_decref(status);
	return result;
}

/* ---- The new process ---- */

static int renew_listen(struct renewal *renewal, struct error *error)
{
	int result = control_address_beside(renewal->name, CONTROL_RENEWAL, &renewal->address, error), lock;

	if (!result)
		result = file_path(renewal->address.sun_path, renewal->path, sizeof(renewal->path), error);
	if (result)
		return result;
	lock = folder_open(control_folder(), error);
	if (lock < 0)
		return lock;
	result = named_socket_listen(&renewal->address, &renewal->listener);
	close(lock);
	if (!result)
		return 0;
	if (result == -EADDRINUSE)
		return error_set(error, EBUSY, "%s is being renewed already", renewal->name);
	return error_set(error, -result, "cannot listen on %s (%s)", renewal->path, strerror(-result));
}

/* What ends the operator's session does not end the machine. */
static int renewed_detach(struct error *error)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (null < 0 || setsid() < 0 || dup2(null, STDIN_FILENO) < 0 || dup2(null, STDOUT_FILENO) < 0)
		return error_set(error, errno, "the new process cannot leave this session (%s)", strerror(errno));
	close(null);
	return 0;
}

static int renewed_run(const struct renew_options *options, int listener, char *const *words, struct error *error)
{
	char listen[sizeof("fd:") + 3 * sizeof(int)];
	struct receive_options receive = {
		.own_name = true,
		.succeeds = true,
		.listen = listen,
		.console = options->console,
		.sandbox = options->sandbox,
	};
	int result = renewed_detach(error);

	snprintf(listen, sizeof(listen), "fd:%d", listener);
	return result ? result : verb_receive.run(&receive, words, error);
}

/* By a process between the two, so that the new one is nobody's child, or that of a manager, which can wait for it. */
static int renew_fork(struct renewal *renewal, bool *is_new, struct error *error)
{
	pid_t between;
	int ends[2];

	if (pipe2(ends, O_CLOEXEC))
		return error_set(error, error_of_call(errno), "no pipe for the new process (%s)", strerror(errno));
	between = fork();
	if (!between) {
		if (fork())
			_exit(EXIT_SUCCESS);
		*is_new = true;
		renewal->process = getpid();
		/* That it has no reader is no matter: then the command has ended. */
		(void)!write(ends[1], &renewal->process, sizeof(renewal->process));
		close(ends[0]);
		return 0;
	}
	close(ends[1]);
	renewal->life = ends[0];
	if (between > 0 && waitpid(between, NULL, 0) == between &&
	    read(ends[0], &renewal->process, sizeof(renewal->process)) == sizeof(renewal->process))
		return 0;
	close(ends[0]);
	unlink(renewal->address.sun_path);
	return error_set(error, EAGAIN, "cannot start a new process for %s", renewal->name);
}

/* Whether it does so within that time. */
static bool renewed_ends(const struct renewal *renewal, int limit_ms)
{
	struct pollfd wait = { .fd = renewal->life };

	return poll(&wait, 1, limit_ms) > 0;
}

/* ---- The old one ---- */

static int renew_ask(const struct renewal *renewal, const struct renew_options *options, json_t **report,
		     struct error *error)
{
	json_t *request = request_make("migrate");

	request_set_number(request, "downtime_ms", options->downtime_ms);
	request_set_number(request, "max_step_us", options->max_step_us);
	if (request_set_text(request, "host", renewal->path))
		return ask_result(renewal->name, request, NULL, report, error);
	json_decref(request);
	return error_set(error, EINVAL, "the path %s is not in UTF-8", renewal->path);
}

/*
 * The guest is in the old process, and nobody will ask the new one what became of it. While that lives its number is
 * nobody else's.
 */
static void renew_undo(const struct renewal *renewal)
{
	if (!renewed_ends(renewal, 0))
		kill(renewal->process, SIGTERM);
	if (!renewed_ends(renewal, END_LIMIT_MS)) {
		kill(renewal->process, SIGKILL);
		renewed_ends(renewal, END_LIMIT_MS);
	}
	unlink(renewal->address.sun_path);
}

static bool renew_has_name(const struct renewal *renewal)
{
	struct error ignored;
	json_t *status;
	bool has;

	if (client_status(renewal->name, &status, &ignored))
		return false;
	has = json_integer_value(json_object_get(status, "pid")) == renewal->process;
	json_decref(status);
	return has;
}

/* The guest runs in the new process. */
static int renew_await(const struct renewal *renewal, struct error *error)
{
	sc_ns_t deadline = deadline_after_ms(NAME_LIMIT_MS);

	unlink(renewal->address.sun_path);
	while (!renew_has_name(renewal)) {
		if (renewed_ends(renewal, NAME_RETRY_MS))
			return error_set(error, ESRCH, "%s has moved to a new process, and has ended there",
					 renewal->name);
		if (!deadline_left_ms(deadline))
			return error_set(error, ETIMEDOUT,
					 "%s runs in the new process %d, and gets its name there once the old one has "
					 "ended, which it has not in %d s",
					 renewal->name, (int)renewal->process, NAME_LIMIT_MS / 1000);
	}
	return 0;
}

static int renew_move(const struct renewal *renewal, const struct renew_options *options, json_t **report,
		      struct error *error)
{
	int result = renew_ask(renewal, options, report, error);

	if (!result)
		return renew_await(renewal, error);
	/* Else the guest may run in the new process, and who resumes it in the old one asks that first. */
	if (error->err != ENOTRECOVERABLE && error->err != ENOMSG)
		renew_undo(renewal);
	return result;
}

/* ---- The command line ---- */

static const struct renew_options defaults = { .console = "-" };

static int renew_run(void *context, char *const *words, struct error *error)
{
	const struct renew_options *options = context;
	struct renewal renewal = { .name = words[0], .listener = -1 };
	json_t *report = NULL;
	bool is_new = false;
	int result = renew_check(words[0], error);

	if (!result)
		result = renew_listen(&renewal, error);
	if (result)
		return result;
	result = renew_fork(&renewal, &is_new, error);
	if (is_new)
		return renewed_run(options, renewal.listener, words, error);
	close(renewal.listener);
	if (!result)
		result = renew_move(&renewal, options, &report, error);
	if (!result && options->json)
		print_json(report);
	else if (!result)
		print_renewed(words[0], (int)renewal.process, report);
	json_decref(report);
	return result;
}

static const struct option_spec table[] = {
	{ OPTION_NUMBER("downtime", "MS", 1, REQUEST_DOWNTIME_MAX_MS, struct renew_options, downtime_ms) },
	{ OPTION_NUMBER("max-step", "US", 1, REQUEST_MAX_STEP_MAX_US, struct renew_options, max_step_us) },
	{ OPTION_TEXT("console", "FILE", struct renew_options, console) },
	{ MONITOR_SANDBOX(struct renew_options, sandbox) },
	{ OPTION_FLAG("json", struct renew_options, json) },
	{ .name = NULL },
};

const struct verb verb_renew = {
	.name = "renew",
	.words = "NAME",
	.words_min = 1,
	.words_max = 1,
	.table = table,
	.defaults = &defaults,
	.size = sizeof(defaults),
	.run = renew_run,
};
