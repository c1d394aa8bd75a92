/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The guest's console: the terminal, or a file.
 *
 * Policy: the guest never waits for whoever reads its output: the oldest output is dropped instead, with a mark. A
 * terminal is raw while the guest has it, and as it was afterwards; Ctrl-A and a key leaves (x, as with other
 * monitors). A job in the background leaves its terminal alone. Output to a file is appended in the order of the
 * guest's writes.
 */
#ifndef VMM_DEV_CONSOLE_H
#define VMM_DEV_CONSOLE_H

#include "base/output.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <termios.h>

/* Output that nobody has read yet. */
#define CONSOLE_OUTPUT_MAX (1u << 20)

struct console {
	int in; /* -1: no input */
	int out;
	uint8_t exit_key; /* leaves, after Ctrl-A */
	bool terminal;	  /* `in` is one */
	bool raw;
	bool escape; /* Ctrl-A was the last byte */
	struct termios before;
	struct output *output; /* to `out`, unless that is -1 */
};

/*
 * `path`: a file to append to, "-" for standard input and output, NULL for none. A FIFO is opened without waiting for
 * its reader.
 */
int console_open(struct console *console, const char *path, struct error *error);
/* The guest has the terminal from now on. */
void console_start(struct console *console);
/* The terminal as it was before. Another thread may do so while the console is being closed. */
void console_restore(const struct console *console);
void console_close(struct console *console);
void console_write(struct console *console, const void *data, size_t size);

/* Whether there is input to wait for now: false without any, and while this is a background job of its terminal. */
bool console_attend(struct console *console);

enum console_key {
	CONSOLE_KEY_NONE, /* nothing to read, or the first half of a command */
	CONSOLE_KEY_BYTE, /* for the guest */
	CONSOLE_KEY_EXIT, /* the user wants to leave */
	CONSOLE_KEY_END,  /* the input has ended */
};

/* Does not wait. */
enum console_key console_read(struct console *console, uint8_t *byte);

#endif
