/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The guest's UART as a device: a PL011 between the guest and its console, and the input that waits for it.
 *
 * Policy: input that the UART has no room for waits in a queue, which moves with the machine. What comes after the
 * queue was saved waits as well, and is sent after; a key is read from the terminal only while it has a place to go.
 * What the guest says goes to the monitor's own console, and to a backlog for whoever attaches.
 */
#ifndef VMM_DEV_UART_H
#define VMM_DEV_UART_H

#include "base/ring.h"
#include "dev/backlog.h"
#include "dev/console.h"
#include "dev/device.h"
#include "dev/pl011.h"

/* Input that the UART has no room for yet. */
#define UART_INPUT_MAX 4096u
/* What of it may come after the state was saved. */
#define UART_LATE_INPUT_MAX 128u

struct uart {
	struct device device; /* first, so that it is the device; its lock covers what follows */
	struct pl011 pl011;
	struct console *console;
	struct backlog backlog; /* stays over a reset */
	const char *machine;	/* its name, for messages */
	struct ring input;
	bool frozen;	  /* the input has been saved: the UART takes none of it */
	size_t frozen_at; /* how much was saved */
	bool input_lost;  /* the last byte of it was, which has been logged */
	uint8_t input_bytes[UART_INPUT_MAX];
	struct lock typing; /* closed; held while a byte is read from the terminal */
	bool closed;	    /* the machine has moved: its input is read no more */
};

/* At its place in the memory map. `machine` is the machine's name; it and the console live as long as the UART. */
void uart_init(struct uart *uart, struct console *console, const char *machine, const struct device_line *line);

/* Whether there is room for input. */
bool uart_wants_input(struct uart *uart);

/*
 * Around reading a byte of input and giving it to the guest, so that none is read when the machine has moved: false,
 * and nothing to end, if it has.
 */
bool uart_begin_input(struct uart *uart);
void uart_end_input(struct uart *uart);

/* A byte from the console for the guest; false if there is no room, and it is lost, which the log says. */
bool uart_receive(struct uart *uart, uint8_t byte);

/* Up to `size` bytes of input that came after the state was saved: how many. From here on none is taken. */
size_t uart_late_input(struct uart *uart, uint8_t *bytes, size_t size);

#endif
