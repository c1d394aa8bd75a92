/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * `seaclock console`: a terminal, or a pipe, on a console of a running machine.
 *
 * Policy: input is read while the machine takes it, output while standard output takes it, and an order to end is
 * heeded meanwhile. The exit status is that of the machine's monitor, or 0 for one that runs on.
 */
#include "base/events.h"
#include "base/signals.h"
#include "base/text.h"
#include "command/monitor.h"
#include "command/verb.h"
#include "control/client.h"
#include "control/stream.h"
#include "dev/console.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define DETACH_KEY 'd'
#define PIECE 4096u /* what a pipe that is ready takes */

/* Nothing tells a background job that it has come to the foreground; how often to look. */
#define FOREGROUND_RETRY_MS 1000

struct console_options {
	bool virtio;
};

static const struct console_options defaults;

enum {
	VIEWER_SIGNAL,
	VIEWER_INPUT,
	VIEWER_MACHINE,
	VIEWER_OUTPUT,
	VIEWER_WAITS
};

struct viewer {
	const char *name;
	int machine; /* the connection */
	int screen;  /* standard output */
	struct console keyboard;
	struct stream stream;
	struct pollfd wait[VIEWER_WAITS];
	bool detached;
	bool input_ended;
	bool machine_ended;
	bool has_key; /* which the machine has not taken yet */
	uint8_t key;
	uint64_t lost;	    /* keys that could not be sent */
	size_t shown, size; /* of the output */
	char output[PIECE + STREAM_END_MAX];
};

/* ---- Input ---- */

static void viewer_send(struct viewer *viewer)
{
	ssize_t sent = send(viewer->machine, &viewer->key, 1, MSG_DONTWAIT | MSG_NOSIGNAL);

	viewer->has_key = sent < 0 && (errno == EAGAIN || errno == EINTR);
	if (sent == 1 || viewer->has_key)
		return;
	/* The machine has ended, as the connection will tell. */
	viewer->lost++;
	viewer->input_ended = true;
}

/* A machine learns that its input has ended; a terminal that has gone has nobody to show anything to. */
static void viewer_input(struct viewer *viewer)
{
	switch (console_read(&viewer->keyboard, &viewer->key)) {
	case CONSOLE_KEY_NONE:
		break;
	case CONSOLE_KEY_BYTE:
		viewer_send(viewer);
		break;
	case CONSOLE_KEY_EXIT:
		viewer->detached = true;
		break;
	case CONSOLE_KEY_END:
		viewer->input_ended = true;
		viewer->detached = viewer->keyboard.terminal;
		shutdown(viewer->machine, SHUT_WR);
		break;
	}
}

/* ---- Output ---- */

static void viewer_receive(struct viewer *viewer)
{
	char piece[PIECE];
	ssize_t got = recv(viewer->machine, piece, sizeof(piece), MSG_DONTWAIT);

	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	viewer->machine_ended = got <= 0;
	viewer->shown = 0;
	viewer->size = got > 0 ? stream_take(&viewer->stream, piece, (size_t)got, viewer->output) : 0;
}

/*
 * A write to a terminal that shows nothing any more would wait, whatever poll() says. Opened once more, it does not,
 * and its other users keep theirs as it is.
 */
static int terminal_open_again(void)
{
	int fd = isatty(STDOUT_FILENO) ? open("/proc/self/fd/1", O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC) : -1;

	return fd < 0 ? STDOUT_FILENO : fd;
}

static int viewer_show(struct viewer *viewer, struct error *error)
{
	size_t left = viewer->size - viewer->shown;
	ssize_t done = write(viewer->screen, viewer->output + viewer->shown, left < PIECE ? left : PIECE);

	if (done < 0 && errno != EAGAIN && errno != EINTR)
		return error_set(error, errno, "cannot write what %s says (%s)", viewer->name, strerror(errno));
	viewer->shown += done > 0 ? (size_t)done : 0;
	return 0;
}

/* ---- Its life ---- */

/* Decides what poll() watches; in how many ms to look again, -1 for not at all. */
static int viewer_attend(struct viewer *viewer)
{
	bool open = !viewer->input_ended;
	bool attend = open && console_attend(&viewer->keyboard);
	bool shows = viewer->shown < viewer->size;
	short events = (short)((shows ? 0 : POLLIN) | (viewer->has_key ? POLLOUT : 0));

	viewer->wait[VIEWER_INPUT].fd = attend && !viewer->has_key ? viewer->keyboard.in : -1;
	viewer->wait[VIEWER_INPUT].events = POLLIN;
	viewer->wait[VIEWER_MACHINE].fd = events && !viewer->machine_ended ? viewer->machine : -1;
	viewer->wait[VIEWER_MACHINE].events = events;
	viewer->wait[VIEWER_OUTPUT].fd = shows ? viewer->screen : -1;
	viewer->wait[VIEWER_OUTPUT].events = POLLOUT;
	return open && !attend ? FOREGROUND_RETRY_MS : -1;
}

static int viewer_once(struct viewer *viewer, struct error *error)
{
	struct pollfd *wait = viewer->wait;
	int result = 0;

	events_await(wait, VIEWER_WAITS, viewer_attend(viewer));
	if (wait[VIEWER_SIGNAL].revents)
		return signals_check(error);
	if (wait[VIEWER_OUTPUT].revents)
		result = viewer_show(viewer, error);
	/* An end as well: what came before it is read first. */
	if (wait[VIEWER_MACHINE].revents & (POLLIN | POLLHUP | POLLERR) && viewer->shown == viewer->size)
		viewer_receive(viewer);
	if (wait[VIEWER_MACHINE].revents & POLLOUT)
		viewer_send(viewer);
	if (wait[VIEWER_INPUT].revents)
		viewer_input(viewer);
	return result;
}

/* ---- Its end ---- */

static void tell_end(const char *name, enum machine_end end, const char *host)
{
	static const char *const said[] = {
		[MACHINE_END_POWER_OFF] = "has powered off", [MACHINE_END_RESET] = "has been reset, and has ended",
		[MACHINE_END_PANIC] = "has crashed",	     [MACHINE_END_SAVED] = "was saved to a file",
		[MACHINE_END_STOPPED] = "was stopped",	     [MACHINE_END_FAILED] = "has failed, as its log says",
	};

	if (end == MACHINE_END_MIGRATED)
		fprintf(stderr, "seaclock: %s has moved, and runs on at %s\n", name,
			host && text_is_plain(host) ? host : "another host");
	else
		fprintf(stderr, "seaclock: %s %s\n", name, said[end]);
}

/* The connection has ended. */
static int viewer_conclude(const struct viewer *viewer, struct error *error)
{
	json_t *line;
	const char *host;
	uint64_t unread;
	enum machine_end end = stream_end(&viewer->stream, &line, &host, &unread);

	unread += viewer->lost + viewer->has_key;
	if (end == MACHINE_END_NONE)
		(void)!write(viewer->screen, viewer->stream.end, viewer->stream.held);
	if (end != MACHINE_END_NONE)
		tell_end(viewer->name, end, host);
	if (unread)
		fprintf(stderr, "seaclock: the last %" PRIu64 " bytes of input did not reach it\n", unread);
	json_decref(line);
	if (end != MACHINE_END_NONE)
		return monitor_status(end);
	return error_set(error, EPIPE,
			 "the monitor of %s has ended without a word: it was killed, or ended by `stop --now`",
			 viewer->name);
}

static int viewer_run(struct viewer *viewer, struct error *error)
{
	int result = 0;

	if (isatty(STDIN_FILENO))
		fprintf(stderr, "seaclock: this is the console of %s; Ctrl-A %c leaves it\n", viewer->name, DETACH_KEY);
	console_start(&viewer->keyboard);
	while (!result && !viewer->detached && (!viewer->machine_ended || viewer->shown < viewer->size))
		result = viewer_once(viewer, error);
	console_restore(&viewer->keyboard);
	if (viewer->keyboard.terminal)
		fputc('\n', stderr);
	if (!result && viewer->detached)
		fprintf(stderr, "seaclock: detached from %s\n", viewer->name);
	return result || viewer->detached ? result : viewer_conclude(viewer, error);
}

static int console_run(void *context, char *const *words, struct error *error)
{
	const struct console_options *options = context;
	struct viewer viewer = {
		.name = words[0],
		.keyboard = { .in = STDIN_FILENO, .out = -1, .exit_key = DETACH_KEY },
	};
	int result;

	signals_prepare();
	viewer.wait[VIEWER_SIGNAL] = (struct pollfd){ .fd = signals_open(), .events = POLLIN };
	if (viewer.wait[VIEWER_SIGNAL].fd < 0)
		return error_set(error, errno, "no descriptor for signals (%s)", strerror(errno));
	result = client_attach(words[0], options->virtio, &viewer.machine, error);
	if (!result) {
		viewer.screen = terminal_open_again();
		result = viewer_run(&viewer, error);
		close(viewer.machine);
		close(viewer.screen);
	}
	close(viewer.wait[VIEWER_SIGNAL].fd);
	return result;
}

static const struct option_spec table[] = {
	{ OPTION_FLAG("virtio", struct console_options, virtio) },
	{ .name = NULL },
};

const struct verb verb_console = {
	.name = "console",
	.words = "NAME",
	.words_min = 1,
	.words_max = 1,
	.table = table,
	.defaults = &defaults,
	.size = sizeof(defaults),
	.run = console_run,
};
