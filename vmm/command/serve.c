/* SPDX-License-Identifier: BSD-2-Clause */
/* A machine's life from start to end: see the header. */
#include "command/serve.h"

#include "base/events.h"
#include "base/log.h"
#include "base/signals.h"
#include "control/socket.h"
#include "host/landlock.h"
#include "host/sandbox.h"
#include "host/sanitized.h"
#include "migrate/entry.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

/* While the guest does not read its UART, a pipe's input waits; how often to look for room. */
#define CONSOLE_RETRY_MS 10

/* Nothing tells a background job that it has come to the foreground; how often to look. */
#define FOREGROUND_RETRY_MS 1000

/* Ends the machine now, or as soon as no migration or save is under way. */
static void serve_stop(struct serve *serve, const char *why)
{
	log_line("%s is told to end (%s)", serve->machine->config.name, why);
	machine_stop_soon(serve->machine);
	control_call_off(&serve->control);
}

static void serve_signal(struct serve *serve)
{
	const char *name = signals_take(serve->wait[SERVE_SIGNAL].fd);

	if (name)
		serve_stop(serve, name);
}

/* Atomic against a migration: a key goes to the machine, or, once that has moved, stays in the terminal for good. */
static enum console_key serve_key(struct serve *serve)
{
	enum console_key key;
	uint8_t byte;

	if (!uart_begin_input(&serve->machine->devices.uart))
		return CONSOLE_KEY_END;
	key = console_read(serve->machine->devices.uart.console, &byte);
	if (key == CONSOLE_KEY_BYTE)
		uart_receive(&serve->machine->devices.uart, byte);
	uart_end_input(&serve->machine->devices.uart);
	return key;
}

static void serve_console(struct serve *serve)
{
	enum console_key key = serve_key(serve);

	if (key == CONSOLE_KEY_EXIT)
		serve_stop(serve, "Ctrl-A x");
	if (key == CONSOLE_KEY_END)
		serve->input_ended = true;
}

/*
 * Decides whether poll() watches the console's input. Not while it must not be read: poll() would report an end of the
 * input again and again. A terminal is always read, for Ctrl-A x; a pipe only if the guest has room. In how many ms to
 * look again, -1 for not at all.
 */
static int serve_attend(struct serve *serve)
{
	struct console *console = serve->machine->devices.uart.console;
	bool open = !serve->input_ended && console->in >= 0;
	bool attend = open && console_attend(console);
	bool room = uart_wants_input(&serve->machine->devices.uart) || console->raw;

	serve->wait[SERVE_CONSOLE].fd = attend && room ? console->in : -1;
	if (open && !attend)
		return FOREGROUND_RETRY_MS;
	return open && !room ? CONSOLE_RETRY_MS : -1;
}

static void serve_incoming(struct serve *serve)
{
	const struct report *report = &serve->incoming->report;

	incoming_serve(serve->incoming);
	if (!serve->incoming->settled || serve->settled)
		return;
	serve->settled = true;
	migration_note(&serve->control.migration, report);
	entry_moved(ENTRY_TARGET, serve->machine->config.name, serve->peer, report);
	for (uint32_t n = 0; n < report->input_size; n++)
		uart_receive(&serve->machine->devices.uart, report->input[n]);
}

/* Waits for no thread, vCPU or reader: any of them may be the reason why the operator says --now. */
static _Noreturn void serve_leave(const struct serve *serve)
{
	control_remove(&serve->control);
	console_restore(serve->machine->devices.uart.console);
	_exit(SERVE_EXIT_STOPPED);
}

void serve_control(struct serve *serve)
{
	control_serve(&serve->control);
	if (serve->control.leave)
		serve_leave(serve);
}

/* False once the machine has ended. */
static bool serve_once(struct serve *serve)
{
	struct pollfd *wait = serve->wait;
	int console_ms = serve_attend(serve), control_ms = control_retry_ms(&serve->control);

	/* As unsigned numbers, -1 is the longest. */
	events_await(wait, SERVE_WAITS, (unsigned int)control_ms < (unsigned int)console_ms ? control_ms : console_ms);
	if (wait[SERVE_CONTROL].revents || control_ms >= 0)
		serve_control(serve);
	if (wait[SERVE_SIGNAL].revents)
		serve_signal(serve);
	if (wait[SERVE_CONSOLE].revents)
		serve_console(serve);
	if (wait[SERVE_INCOMING].revents)
		serve_incoming(serve);
	return !wait[SERVE_END].revents;
}

/* The socket's name is given up at the end. */
static int reach_open(struct serve *serve)
{
	int result;

	if (!sandbox_facts().files || sanitized_looks_at_threads())
		return 0;
	serve->reach = landlock_make(LANDLOCK_PORTS_ALL);
	if (serve->reach < 0)
		return serve->reach;
	result = landlock_allow(serve->reach, control_folder(), LANDLOCK_WRITE);
	if (result)
		close(serve->reach);
	return result;
}

static int signals_take_over(struct serve *serve)
{
	serve->wait[SERVE_SIGNAL].fd = signals_open();
	return serve->wait[SERVE_SIGNAL].fd < 0 ? -errno : 0;
}

int serve_open(struct serve *serve, struct machine *machine, bool succeeds, struct error *error)
{
	int result;

	*serve = (struct serve){ .machine = machine, .reach = -1 };
	result = control_open(&serve->control, machine, succeeds, error);
	if (result)
		return result;
	for (int n = 0; n < SERVE_WAITS; n++)
		serve->wait[n].events = POLLIN;
	serve->wait[SERVE_END].fd = machine->ended;
	serve->wait[SERVE_CONTROL].fd = serve->control.events;
	result = signals_take_over(serve);
	if (!result) {
		result = reach_open(serve);
		if (!result)
			return 0;
		close(serve->wait[SERVE_SIGNAL].fd);
	}
	control_close(&serve->control);
	return error_set(error, -result, "no descriptor for signals or the sandbox (%s)", strerror(-result));
}

void serve_close(struct serve *serve)
{
	control_close(&serve->control);
	close(serve->wait[SERVE_SIGNAL].fd);
	if (serve->reach >= 0)
		close(serve->reach);
}

/* For good: this thread takes no other machine after this one. */
static void serve_confine(const struct serve *serve)
{
	int result = serve->reach < 0 ? 0 : landlock_enter(serve->reach);

	if (!result)
		return;
	log_line("%s ends: its monitor cannot be held to its files (%s)", serve->machine->config.name,
		 strerror(-result));
	machine_finish(serve->machine, MACHINE_END_FAILED);
}

enum machine_end serve_run(struct serve *serve)
{
	console_start(serve->machine->devices.uart.console);
	serve->wait[SERVE_INCOMING].fd = serve->incoming ? serve->incoming->events : -1;
	serve_confine(serve);
	while (serve_once(serve))
		;
	return machine_get_end(serve->machine);
}
