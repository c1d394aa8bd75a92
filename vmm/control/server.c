/* SPDX-License-Identifier: BSD-2-Clause */
/* The monitor's end of the control socket: see the header. */
#include "control/server.h"

#include "base/json.h"
#include "base/program.h"
#include "control/caller.h"
#include "control/request.h"
#include "host/sandbox.h"
#include "machine/description.h"
#include "machine/late.h"
#include "transfer/admission.h"

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

/* The listener's number in epoll; smaller numbers are clients, larger ones the two events of each attachment. */
#define CONTROL_LISTENER CONTROL_CLIENTS
#define CONTROL_ATTACHMENT(n) (CONTROL_LISTENER + 1 + 2 * (n))
#define CONTROL_EVENTS CONTROL_ATTACHMENT(ATTACHMENT_PORTS)

/* How often a successor looks whether it can have its name. */
#define CONTROL_CLAIM_MS 5

/* ---- Opening ---- */

static int control_watch(struct control *control, int fd, uint32_t number)
{
	struct epoll_event event = { .events = EPOLLIN, .data.u32 = number };

	return epoll_ctl(control->events, EPOLL_CTL_ADD, fd, &event) ? -errno : 0;
}

static void client_close(struct control_client *client)
{
	if (client->fd >= 0)
		close(client->fd);
	client->fd = -1;
	descriptors_close(&client->passed);
}

/* Everything but the socket's name. */
static void control_shut(struct control *control)
{
	for (uint32_t n = 0; n < CONTROL_CLIENTS; n++)
		client_close(&control->client[n]);
	for (uint32_t n = 0; n < ATTACHMENT_PORTS; n++)
		attachment_close(&control->attachment[n], control->migration.host);
	if (control->listener >= 0)
		close(control->listener);
	if (control->events >= 0)
		close(control->events);
	control->listener = control->events = -1;
}

/* The name is taken. */
static int control_listen(struct control *control, struct error *error)
{
	int result;

	control->events = epoll_create1(EPOLL_CLOEXEC);
	for (uint32_t n = 0; n < ATTACHMENT_PORTS; n++)
		attachment_init(&control->attachment[n], control->machine, (enum attachment_port)n, control->events,
				CONTROL_ATTACHMENT(n));
	if (control->events >= 0 && !control_watch(control, control->listener, CONTROL_LISTENER))
		return 0;
	result = error_set(error, errno, "no event descriptor (%s)", strerror(errno));
	naming_remove(&control->naming);
	control_shut(control);
	return result;
}

int control_open(struct control *control, struct machine *machine, bool succeeds, struct error *error)
{
	int result;

	*control = (struct control){ .machine = machine, .listener = -1, .events = -1 };
	for (uint32_t n = 0; n < CONTROL_CLIENTS; n++)
		control->client[n].fd = -1;
	migration_init(&control->migration, machine);
	result = naming_take(&control->naming, machine->config.name, succeeds, &control->listener, error);
	return result ? result : control_listen(control, error);
}

/* Not while it is received: until then the machine is its predecessor's. */
static void control_claim(struct control *control)
{
	if (machine_get_state(control->machine) != MACHINE_RECEIVING)
		naming_claim(&control->naming);
}

void control_close(struct control *control)
{
	/* The machine has ended: what is under way need not finish. */
	control_call_off(control);
	migration_close(&control->migration);
	saving_join(&control->saving);
	query_join(&control->growth.query);
	query_join(&control->inspection);
	if (control->listener < 0)
		return;
	control_claim(control);
	naming_give_up(&control->naming, machine_get_end(control->machine) == MACHINE_END_MIGRATED);
	control_shut(control);
}

void control_remove(const struct control *control)
{
	if (control->listener >= 0)
		naming_remove(&control->naming);
}

void control_call_off(struct control *control)
{
	migration_call_off(&control->migration);
	saving_call_off(&control->saving);
}

/* ---- Answers ---- */

static void answer_error(int client, const struct error *error)
{
	control_write_line(client, control_error(error));
}

/* What is no request. A client of another version learns what is spoken here. */
static void answer_refusal(int client, const struct error *error)
{
	json_t *line = control_error(error);

	if (error->err == EPROTONOSUPPORT)
		json_object_set_new(line, "version", json_integer(CONTROL_VERSION));
	control_write_line(client, line);
}

static void answer(int client, int result, const struct error *error)
{
	if (result)
		answer_error(client, error);
	else
		control_write_line(client, json_pack("{s:b}", "ok", 1));
}

/* How the machine was restored; NULL if it was not. */
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

/* What the guest can follow, as last known: a status request never waits for a vCPU. */
static json_t *follow_json(struct machine *machine)
{
	struct sc_follow follow = machine_known_follow(machine);
	char reason[ADMISSION_REASON_MAX];

	admission_reason(&follow, reason);
	return json_pack("{s:s, s:b, s:b, s:s*}", "level", machine_level_name(follow.level), "on_page",
			 (int)follow.on_page, "inferred", (int)follow.inferred, "level_reason",
			 *reason ? reason : NULL);
}

/* Timers that are late. */
static json_t *timers_json(struct machine *machine)
{
	struct late_timer late[LATE_TIMERS_MAX];
	uint32_t count = late_timers(&machine->clock, late);
	json_t *timers = json_array();

	for (uint32_t n = 0; n < count; n++)
		json_array_append_new(timers, json_pack("{s:i, s:i, s:s, s:I}", "vcpu", (int)late[n].vp, "timer",
							(int)late[n].timer, "state", late_delay_name(late[n].delay),
							"ms", (json_int_t)(late[n].since.v / 1000000)));
	return timers;
}

/* What the description does not say of the disks. */
static json_t *disks_json(struct machine *machine)
{
	json_t *disks = json_array();

	for (uint32_t n = 0; n < machine->devices.disks; n++) {
		struct block_sight sight = block_see(&machine->devices.disk[n]);

		json_array_append_new(disks, json_pack("{s:I, s:s}", "bytes", (json_int_t)sight.size, "state",
						       sight.away ? "server-away" : "ok"));
	}
	return disks;
}

/* What this process is held to. */
static json_t *sandbox_json(void)
{
	struct sandbox_facts facts = sandbox_facts();

	return json_pack("{s:b, s:b, s:b}", "calls", (int)facts.calls, "files", (int)facts.files, "ports",
			 (int)facts.ports);
}

/* Its processor is known once its state has been loaded. */
static json_t *machine_json(struct machine *machine)
{
	json_t *description;

	lock_take(&machine->lock);
	description = description_json(&machine->config);
	lock_drop(&machine->lock);
	return description;
}

static json_t *status_json(struct control *control)
{
	struct machine *machine = control->machine;
	struct kernel kernel;
	json_t *status = json_pack(
		"{s:s, s:s, s:i, s:I, s:I, s:I, s:i, s:I, s:o*, s:o*, s:o*}", "name", machine->config.name, "state",
		machine_state_name(machine_get_state(machine)), "vcpus", (int)machine->config.vcpus, "memory_mib",
		(json_int_t)(machine->config.memory_size >> 20), "counter_hz", (json_int_t)host_counter_hz(),
		"reference_time", (json_int_t)clock_reference(&machine->clock).v, "pid", (int)getpid(), "resets",
		(json_int_t)__atomic_load_n(&machine->restarts, __ATOMIC_RELAXED), "migration",
		migration_now(&control->migration), "last_migration", migration_last(&control->migration), "restored",
		restored_json(&machine->restored));

	json_object_update_new(status, follow_json(machine));
	if (kernel_last(machine, &kernel))
		json_object_set_new(status, "kernel", kernel_json(&kernel));
	json_object_set_new(status, "migrations", migration_counts(&control->migration));
	json_object_set_new(status, "sandbox", sandbox_json());
	json_object_set_new(status, "program_replaced", json_boolean(program_is_replaced()));
	json_object_set_new(status, "late_timers", timers_json(machine));
	json_object_set_new(status, "disks", disks_json(machine));
	json_object_set_new(status, "machine", machine_json(machine));
	return status;
}

static void answer_status(struct control *control, int client)
{
	json_t *line;

	json_watch();
	line = json_pack("{s:o}", "ok", status_json(control));
	if (!json_is_whole()) {
		json_decref(line);
		line = NULL;
	}
	control_write_line(client, line);
}

/* ---- Requests ---- */

/* A machine that is already paused keeps its policy, unless the request names another. */
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

/* *taken: the connection is now the migration's, which asks the other host first and answers later. */
static int control_resume(struct control *control, int client, const json_t *request, bool *taken, struct error *error)
{
	struct machine *machine = control->machine;
	bool force = request_flag(request, "force");
	enum sc_clock_policy policy;
	int result = request_policy(request, machine_policy(machine), &policy, error);

	if (result)
		return result;
	if (force || machine_get_state(machine) != MACHINE_UNDECIDED)
		return machine_resume(machine, policy, force, error);
	result = migration_ask(&control->migration, client, policy, error);
	*taken = !result;
	return result;
}

/* By default a file keeps the policy of the pause in which it was made. */
static int control_save(struct control *control, struct control_client *client, const json_t *request,
			struct error *error)
{
	struct saving_order order = {
		.path = request_text(request, "file"),
		.repair = request_flag(request, "repair"),
		.force = request_flag(request, "force"),
	};
	int result = request_policy(request, machine_policy(control->machine), &order.policy, error);

	if (!order.path)
		return error_set(error, EINVAL, "a save needs the name of a file");
	return result ? result
		      : saving_start(&control->saving, control->machine, client->fd, &client->passed, &order, error);
}

/* *taken: the connection is now the console's. */
static int control_console(struct control *control, int client, const json_t *request, bool *taken, struct error *error)
{
	enum attachment_port port = request_flag(request, "virtio") ? ATTACHMENT_VIRTIO : ATTACHMENT_UART;
	int result = attachment_open(&control->attachment[port], client, error);

	*taken = !result;
	return result;
}

/* With `now`, the machine's state does not matter: the caller ends the program. */
static int control_stop(struct control *control, const json_t *request, struct error *error)
{
	if (!request_flag(request, "now"))
		return machine_stop(control->machine, error);
	control->leave = true;
	return 0;
}

/* True if the connection now belongs to a console, or to something in a thread of its own. */
static bool control_request(struct control *control, struct control_client *from, const json_t *request)
{
	int client = from->fd;
	struct machine *machine = control->machine;
	const char *command;
	struct error error;
	bool taken = false;
	int result = request_check(request, from->passed.count, &error);

	if (result) {
		answer_refusal(client, &error);
		return false;
	}
	command = request_text(request, "command");
	if (!strcmp(command, "status")) {
		answer_status(control, client);
		return false;
	}
	caller_log(client, command);
	if (!strcmp(command, "migrate")) {
		result = migration_request(&control->migration, client, &from->passed, request, &error);
		taken = !result;
	} else if (!strcmp(command, "save")) {
		result = control_save(control, from, request, &error);
		taken = !result;
	} else if (!strcmp(command, "pause")) {
		result = control_pause(machine, request, &error);
	} else if (!strcmp(command, "resume")) {
		result = control_resume(control, client, request, &taken, &error);
	} else if (!strcmp(command, "console")) {
		result = control_console(control, client, request, &taken, &error);
	} else if (!strcmp(command, "grow")) {
		result = growth_start(&control->growth, machine, client, request_number(request, "disk", 0), &error);
		taken = !result;
	} else if (!strcmp(command, "kernel")) {
		result = inspection_start(&control->inspection, machine, client, &error);
		taken = !result;
	} else if (!strcmp(command, "shutdown")) {
		result = machine_press(machine, &error);
	} else {
		result = control_stop(control, request, &error);
	}
	if (!taken)
		answer(client, result, &error);
	return taken;
}

/* ---- Clients ---- */

/* Answers a whole line, or drops the client if that is no request. */
static void client_finish(struct control *control, struct control_client *client, size_t length)
{
	json_t *request;
	int result = json_read(client->line, length, 0, &request, NULL);
	bool taken;

	/* Before the request: once another thread owns the connection, it may close it at any time. */
	epoll_ctl(control->events, EPOLL_CTL_DEL, client->fd, NULL);
	taken = request && control_request(control, client, request);
	json_decref(request);
	if (result == -ENOMEM)
		control_write_line(client->fd, NULL);
	if (taken)
		client->fd = -1;
	client_close(client);
}

/* Reads what has arrived, and never waits for the rest. */
static void client_serve(struct control *control, struct control_client *client)
{
	ssize_t got = descriptors_receive(client->fd, client->line + client->size, sizeof(client->line) - client->size,
					  &client->passed);
	const char *end;

	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (got <= 0)
		return client_close(client);
	client->size += (size_t)got;
	end = memchr(client->line, '\n', client->size);
	if (end)
		client_finish(control, client, (size_t)(end - client->line));
	else if (client->size == sizeof(client->line))
		client_close(client);
}

/* A place for a new client: a free one, or that of the client that has been silent for longest. */
static uint32_t client_choose(const struct control *control)
{
	uint32_t best = 0;

	for (uint32_t n = 0; n < CONTROL_CLIENTS; n++) {
		if (control->client[n].fd < 0)
			return n;
		if (control->client[n].number < control->client[best].number)
			best = n;
	}
	return best;
}

static void control_accept(struct control *control)
{
	int fd = accept4(control->listener, NULL, NULL, SOCK_CLOEXEC);
	uint32_t n = client_choose(control);
	struct control_client *client = &control->client[n];

	if (fd < 0)
		return;
	if (!caller_may(fd)) {
		close(fd);
		return;
	}
	client_close(client);
	client->fd = fd;
	client->size = 0;
	client->number = ++control->clients;
	if (control_watch(control, fd, n))
		return client_close(client);
	client_serve(control, client);
}

void control_serve(struct control *control)
{
	struct epoll_event events[CONTROL_EVENTS];
	int count = epoll_wait(control->events, events, CONTROL_EVENTS, 0);

	for (int n = 0; n < count; n++) {
		uint32_t number = events[n].data.u32;

		if (number == CONTROL_LISTENER)
			control_accept(control);
		else if (number > CONTROL_LISTENER)
			attachment_serve(&control->attachment[(number - CONTROL_ATTACHMENT(0)) / 2]);
		else if (control->client[number].fd >= 0)
			client_serve(control, &control->client[number]);
	}
	for (uint32_t n = 0; n < ATTACHMENT_PORTS; n++)
		if (control->attachment[n].waits)
			attachment_serve(&control->attachment[n]);
	control_claim(control);
}

int control_retry_ms(const struct control *control)
{
	for (uint32_t n = 0; n < ATTACHMENT_PORTS; n++)
		if (control->attachment[n].waits)
			return ATTACHMENT_RETRY_MS;
	return control->naming.succeeds ? CONTROL_CLAIM_MS : -1;
}
