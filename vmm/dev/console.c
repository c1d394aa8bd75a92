/* SPDX-License-Identifier: BSD-2-Clause */
/* The guest's console: see the header. */
#include "dev/console.h"

#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define KEY_COMMAND 0x01 /* Ctrl-A */

/* ---- The terminal ---- */

/* A terminal without job control has no background. */
static bool console_is_foreground(const struct console *console)
{
	pid_t group = tcgetpgrp(console->in);

	return group < 0 || group == getpgrp();
}

static void console_take_terminal(struct console *console)
{
	struct termios raw;

	if (tcgetattr(console->in, &console->before))
		return;
	raw = console->before;
	cfmakeraw(&raw);
	/* No read waits, though another process may have taken what poll() told of. */
	raw.c_cc[VMIN] = 0;
	/* The guest sends carriage returns itself; messages of the monitor do not. */
	raw.c_oflag |= OPOST;
	console->raw = !tcsetattr(console->in, TCSANOW, &raw);
}

void console_start(struct console *console)
{
	console->terminal = console->in >= 0 && isatty(console->in);
	console_attend(console);
}

bool console_attend(struct console *console)
{
	if (!console->terminal)
		return console->in >= 0;
	/* Whoever is in the foreground has set the terminal up for itself. */
	if (!console_is_foreground(console))
		return console->raw = false;
	if (!console->raw)
		console_take_terminal(console);
	return true;
}

/* ---- Opening ---- */

/* Opened for reading too, a FIFO needs no reader now, and has none that goes away. */
static int console_open_file(struct console *console, const char *path, struct error *error)
{
	struct stat facts;
	bool fifo = !stat(path, &facts) && S_ISFIFO(facts.st_mode);

	console->out =
		open(path, (fifo ? O_RDWR : O_WRONLY) | O_CREAT | O_APPEND | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, 0644);
	if (console->out < 0)
		return error_set(error, errno, "cannot write the console to %s (%s)", path, strerror(errno));
	return 0;
}

static void console_close_file(struct console *console)
{
	if (console->out > STDERR_FILENO)
		close(console->out);
	console->out = -1;
}

int console_open(struct console *console, const char *path, struct error *error)
{
	int result = 0;

	*console = (struct console){ .in = -1, .out = -1, .exit_key = 'x' };
	if (!path)
		return 0;
	if (strcmp(path, "-") != 0) {
		result = console_open_file(console, path, error);
	} else {
		console->in = STDIN_FILENO;
		console->out = STDOUT_FILENO;
	}
	if (result)
		return result;
	result = output_open(&console->output, console->out, CONSOLE_OUTPUT_MAX, error);
	if (result)
		console_close_file(console);
	return result;
}

void console_restore(const struct console *console)
{
	if (console->raw && console_is_foreground(console))
		tcsetattr(console->in, TCSANOW, &console->before);
}

void console_close(struct console *console)
{
	if (console->out >= 0 && !output_close(console->output))
		log_line("the end of the console's output was lost: nobody reads it, or it cannot be written");
	console_restore(console);
	console_close_file(console);
}

/* ---- Output and input ---- */

void console_write(struct console *console, const void *data, size_t size)
{
	if (console->out >= 0)
		output_put(console->output, data, size);
}

/* What poll() tells of the input. */
static short console_input(const struct console *console)
{
	struct pollfd item = { .fd = console->in, .events = POLLIN };

	return poll(&item, 1, 0) > 0 ? item.revents : 0;
}

enum console_key console_read(struct console *console, uint8_t *byte)
{
	short input = console_input(console);
	ssize_t done;

	if (!input)
		return CONSOLE_KEY_NONE;
	done = read(console->in, byte, 1);
	if (done < 0) {
		/* EIO for a job that has just gone to the background, or for a terminal that hung up. */
		bool later = errno == EINTR || errno == EAGAIN || (errno == EIO && !console_attend(console));

		return later ? CONSOLE_KEY_NONE : CONSOLE_KEY_END;
	}
	if (!done)
		return console->raw && !(input & POLLHUP) ? CONSOLE_KEY_NONE : CONSOLE_KEY_END;
	if (!console->raw)
		return CONSOLE_KEY_BYTE;
	if (console->escape) {
		console->escape = false;
		return *byte == console->exit_key ? CONSOLE_KEY_EXIT : CONSOLE_KEY_BYTE;
	}
	console->escape = *byte == KEY_COMMAND;
	return console->escape ? CONSOLE_KEY_NONE : CONSOLE_KEY_BYTE;
}
