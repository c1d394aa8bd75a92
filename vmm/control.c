/* SPDX-License-Identifier: BSD-2-Clause */
/* The monitor's end of the control socket: see the header. */
#include "control.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define REQUEST_TIMEOUT_MS 1000

/* ---- Opening ---- */

/*
 * Taking a name and giving it up are one step each for all monitors of this control folder: else two of them could both
 * find the socket of a killed third, and each remove what the other has made. The lock ends with its descriptor.
 */
static int folder_lock(struct error *error)
{
	int fd = open(control_folder(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0 || flock(fd, LOCK_EX) < 0) {
		error_format(error, "cannot lock the control folder %s (%s)", control_folder(), strerror(errno));
		if (fd >= 0)
			close(fd);
		return -1;
	}
	return fd;
}

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
	int lock, result;

	*control = (struct control){ .machine = machine, .listener = -1 };
	migration_init(&control->migration, machine);
	result = control_address(machine->config.name, &control->address, error);
	if (result)
		return result;
	if (mkdir(control_folder(), 0700) < 0 && errno != EEXIST)
		return error_set(error, errno, "cannot make the control folder %s (%s)", control_folder(),
				 strerror(errno));
	lock = folder_lock(error);
	if (lock < 0)
		return -EIO;
	if (socket_is_dead(&control->address))
		unlink(control->address.sun_path);
	result = control_bind(control, error);
	close(lock);
	return result;
}

void control_close(struct control *control)
{
	struct error ignored;
	int lock;

	migration_close(&control->migration);
	saving_join(&control->saving);
	if (control->listener < 0)
		return;
	lock = folder_lock(&ignored);
	/* Without the lock it is left to whoever takes the name next. */
	if (lock >= 0) {
		unlink(control->address.sun_path);
		close(lock);
	}
	close(control->listener);
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

static json_t *status_json(struct control *control)
{
	struct machine *machine = control->machine;

	return json_pack("{s:s, s:s, s:i, s:I, s:I, s:s, s:b, s:I, s:i, s:o*, s:o*}", "name", machine->config.name,
			 "state", machine_state_name(machine_get_state(machine)), "vcpus", (int)machine->config.vcpus,
			 "memory_mib", (json_int_t)(machine->config.memory_size >> 20), "counter_hz",
			 (json_int_t)host_counter_hz(), "level", machine_level_name(machine_level(machine)), "on_page",
			 (int)clock_on_page(&machine->clock), "reference_time",
			 (json_int_t)clock_reference(&machine->clock).v, "pid", (int)getpid(), "last_migration",
			 migration_last(&control->migration), "restored", restored_json(&machine->restored));
}

/* ---- Requests ---- */

int control_policy(const json_t *request, enum sc_clock_policy unsaid, enum sc_clock_policy *policy,
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
	int result = control_policy(request, machine_policy(machine), &policy, error);

	if (!result)
		result = machine_pause(machine, error);
	if (!result)
		machine_set_policy(machine, policy);
	return result;
}

/* *taken: the client's answer comes later, since the other host is asked first. */
static int control_resume(struct control *control, int client, const json_t *request, bool *taken, struct error *error)
{
	struct machine *machine = control->machine;
	bool force = json_is_true(json_object_get(request, "force"));
	enum sc_clock_policy policy;
	int result = control_policy(request, machine_policy(machine), &policy, error);

	if (result)
		return result;
	if (force || machine_get_state(machine) != MACHINE_UNDECIDED)
		return machine_resume(machine, policy, force, error);
	result = migration_ask(&control->migration, client, policy, error);
	*taken = !result;
	return result;
}

/* Without a word a file keeps the policy of the pause that it was made in. */
static int control_save(struct control *control, int client, const json_t *request, struct error *error)
{
	const char *file = json_string_value(json_object_get(request, "file"));
	enum sc_clock_policy policy;
	int result = control_policy(request, machine_policy(control->machine), &policy, error);

	if (!file)
		return error_set(error, EINVAL, "a save needs the name of a file");
	return result ? result : saving_start(&control->saving, control->machine, client, file, policy, error);
}

/* True if the connection now belongs to a migration or a save. */
static bool control_request(struct control *control, int client, const json_t *request)
{
	const char *command = json_string_value(json_object_get(request, "command"));
	struct machine *machine = control->machine;
	struct error error;
	bool taken = false;
	int result = 0;

	if (!command)
		command = "";
	if (!strcmp(command, "status")) {
		control_write_line(client, json_pack("{s:o}", "ok", status_json(control)));
		return false;
	}
	if (!strcmp(command, "migrate")) {
		result = migration_request(&control->migration, client, request, &error);
		taken = !result;
	} else if (!strcmp(command, "save")) {
		result = control_save(control, client, request, &error);
		taken = !result;
	} else if (!strcmp(command, "pause")) {
		result = control_pause(machine, request, &error);
	} else if (!strcmp(command, "resume")) {
		result = control_resume(control, client, request, &taken, &error);
	} else if (!strcmp(command, "stop")) {
		result = machine_stop(machine, &error);
	} else {
		result = error_set(&error, EINVAL, "the monitor does not know the command `%.100s`", command);
	}
	if (!taken)
		answer(client, result, &error);
	return taken;
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
