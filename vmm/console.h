/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The guest's console: the terminal, or a file.
 *
 * Policy: a terminal is raw while the guest has it, and as it was afterwards; Ctrl-A x leaves (as with other monitors).
 * Output to a file is appended in the order of the guest's writes.
 */
#ifndef VMM_CONSOLE_H
#define VMM_CONSOLE_H

#include "error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <termios.h>

struct console {
	int in; /* -1: no input */
	int out;
	bool raw;
	bool escape; /* Ctrl-A was the last byte */
	struct termios before;
};

/* `path`: a file to append to, "-" for standard input and output, NULL for none. */
int console_open(struct console *console, const char *path, struct error *error);
/* The guest has the terminal from now on. */
void console_start(struct console *console);
void console_close(struct console *console);
void console_write(struct console *console, const void *data, size_t size);

enum console_key {
	CONSOLE_KEY_NONE, /* nothing to read, or the first half of a command */
	CONSOLE_KEY_BYTE, /* for the guest */
	CONSOLE_KEY_EXIT, /* the user wants to leave */
	CONSOLE_KEY_END,  /* the input has ended */
};

enum console_key console_read(struct console *console, uint8_t *byte);

#endif
