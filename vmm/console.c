/* SPDX-License-Identifier: BSD-2-Clause */
/* The guest's console: see the header. */
#include "console.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define KEY_COMMAND 0x01 /* Ctrl-A */
#define KEY_EXIT 'x'

void console_start(struct console *console)
{
	struct termios raw;

	if (console->in < 0 || !isatty(console->in) || tcgetattr(console->in, &console->before))
		return;
	raw = console->before;
	cfmakeraw(&raw);
	/* The guest sends carriage returns itself; messages of the monitor do not. */
	raw.c_oflag |= OPOST;
	console->raw = !tcsetattr(console->in, TCSANOW, &raw);
}

int console_open(struct console *console, const char *path, struct error *error)
{
	*console = (struct console){ .in = -1, .out = -1 };
	if (!path)
		return 0;
	if (!strcmp(path, "-")) {
		console->in = STDIN_FILENO;
		console->out = STDOUT_FILENO;
		return 0;
	}
	console->out = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
	if (console->out < 0)
		return error_set(error, errno, "cannot write the console to %s (%s)", path, strerror(errno));
	return 0;
}

void console_close(struct console *console)
{
	if (console->raw)
		tcsetattr(console->in, TCSANOW, &console->before);
	if (console->out > STDERR_FILENO)
		close(console->out);
	*console = (struct console){ .in = -1, .out = -1 };
}

void console_write(struct console *console, const void *data, size_t size)
{
	const char *place = data;

	while (size && console->out >= 0) {
		ssize_t done = write(console->out, place, size);

		if (done < 0 && errno != EINTR)
			return; /* a full disk or a closed terminal must not stop the guest */
		if (done > 0) {
			place += done;
			size -= (size_t)done;
		}
	}
}

enum console_key console_read(struct console *console, uint8_t *byte)
{
	ssize_t done = read(console->in, byte, 1);

	if (done < 0)
		return errno == EINTR || errno == EAGAIN ? CONSOLE_KEY_NONE : CONSOLE_KEY_END;
	if (!done)
		return CONSOLE_KEY_END;
	if (!console->raw)
		return CONSOLE_KEY_BYTE;
	if (console->escape) {
		console->escape = false;
		return *byte == KEY_EXIT ? CONSOLE_KEY_EXIT : CONSOLE_KEY_BYTE;
	}
	console->escape = *byte == KEY_COMMAND;
	return console->escape ? CONSOLE_KEY_NONE : CONSOLE_KEY_BYTE;
}
