/* SPDX-License-Identifier: BSD-2-Clause */
/* A machine's life from start to end: see the header. */
#include "serve.h"

#include "log.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

/* A guest that does not read its UART is offered the same byte again after this long. */
#define CONSOLE_RETRY_MS 10

static void serve_signals(sigset_t *set)
{
	sigemptyset(set);
	sigaddset(set, SIGINT);
	sigaddset(set, SIGTERM);
	sigaddset(set, SIGHUP);
}

void serve_block_signals(void)
{
	sigset_t set;

	serve_signals(&set);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
}

int serve_signals_open(void)
{
	sigset_t set;

	serve_signals(&set);
	return signalfd(-1, &set, SFD_CLOEXEC);
}

static void serve_stop(struct serve *serve, const char *why)
{
	struct error error;

	if (machine_stop(serve->machine, &error))
		log_line("%s: %s", why, error.text);
}

static void serve_signal(struct serve *serve)
{
	struct signalfd_siginfo info;

	if (read(serve->wait[SERVE_SIGNAL].fd, &info, sizeof(info)) == sizeof(info))
		serve_stop(serve, strsignal((int)info.ssi_signo));
}

static void serve_console(struct serve *serve)
{
	switch (console_read(serve->machine->console, &serve->byte)) {
	case CONSOLE_KEY_BYTE:
		serve->byte_waits = true;
		break;
	case CONSOLE_KEY_EXIT:
		serve_stop(serve, "Ctrl-A x");
		break;
	case CONSOLE_KEY_END:
		serve->input_ended = true;
		break;
	case CONSOLE_KEY_NONE:
		break;
	}
}

static void serve_incoming(struct serve *serve)
{
	incoming_serve(serve->incoming);
	if (serve->incoming->settled && !serve->settled)
		migration_note(&serve->control.migration, &serve->incoming->report);
	serve->settled = serve->incoming->settled;
}

/* False once the machine has ended. */
static bool serve_once(struct serve *serve)
{
	struct pollfd *wait = serve->wait;

	if (serve->byte_waits)
		serve->byte_waits = !machine_receive(serve->machine, serve->byte);
	/* Left out of the wait while it is not to be read: an end of the input would be reported without pause. */
	wait[SERVE_CONSOLE].fd = serve->byte_waits || serve->input_ended ? -1 : serve->machine->console->in;
	if (poll(wait, SERVE_WAITS, serve->byte_waits ? CONSOLE_RETRY_MS : -1) < 0)
		return errno == EINTR;
	if (wait[SERVE_CONTROL].revents)
		control_serve(&serve->control);
	if (wait[SERVE_SIGNAL].revents)
		serve_signal(serve);
	if (wait[SERVE_CONSOLE].revents)
		serve_console(serve);
	if (wait[SERVE_INCOMING].revents)
		serve_incoming(serve);
	return !wait[SERVE_END].revents;
}

int serve_open(struct serve *serve, struct machine *machine, struct error *error)
{
	int result;

	*serve = (struct serve){ .machine = machine };
	result = control_open(&serve->control, machine, error);
	if (result)
		return result;
	for (int n = 0; n < SERVE_WAITS; n++)
		serve->wait[n].events = POLLIN;
	serve->wait[SERVE_SIGNAL].fd = serve_signals_open();
	serve->wait[SERVE_END].fd = machine->ended;
	serve->wait[SERVE_CONTROL].fd = serve->control.listener;
	if (serve->wait[SERVE_SIGNAL].fd >= 0)
		return 0;
	control_close(&serve->control);
	return error_set(error, errno, "no descriptor for signals (%s)", strerror(errno));
}

void serve_close(struct serve *serve)
{
	control_close(&serve->control);
	close(serve->wait[SERVE_SIGNAL].fd);
}

enum machine_end serve_run(struct serve *serve)
{
	console_start(serve->machine->console);
	serve->wait[SERVE_INCOMING].fd = serve->incoming ? serve->incoming->events : -1;
	while (serve_once(serve))
		;
	return machine_get_end(serve->machine);
}
