/* SPDX-License-Identifier: BSD-2-Clause */
/* The guest's UART: see the header. */
#include "dev/uart.h"

#include "base/layout.h"
#include "base/log.h"
#include "base/section.h"

#include <errno.h>

static struct uart *uart_of(struct device *device)
{
	return (struct uart *)device;
}

/* With the lock: the UART takes what it has room for. */
static void uart_feed(struct uart *uart)
{
	uint64_t ignored;
	uint8_t byte;

	while (!uart->frozen && ring_peek(&uart->input, 0, &byte, 1) && pl011_receive(&uart->pl011, byte))
		ring_take(&uart->input, &byte, 1, &ignored);
	device_set_line(&uart->device, pl011_irq(&uart->pl011));
}

/* ---- The device ---- */

static uint64_t uart_read(struct device *device, uint64_t offset, unsigned int length)
{
	struct uart *uart = uart_of(device);
	struct pl011_action action;
	uint32_t value = pl011_read(&uart->pl011, offset, &action);

	(void)length;
	uart_feed(uart);
	return value;
}

static void uart_write(struct device *device, uint64_t offset, unsigned int length, uint64_t value)
{
	struct uart *uart = uart_of(device);
	struct pl011_action action;

	(void)length;
	pl011_write(&uart->pl011, offset, (uint32_t)value, &action);
	if (action.has_output) {
		console_write(uart->console, &action.output, 1);
		backlog_put(&uart->backlog, &action.output, 1);
	}
	uart_feed(uart);
}

static void uart_start(struct device *device)
{
	struct uart *uart = uart_of(device);

	lock_take(&device->lock);
	uart->frozen = false;
	uart_feed(uart);
	lock_drop(&device->lock);
}

static void uart_quiesce(struct device *device)
{
	struct uart *uart = uart_of(device);

	lock_take(&device->lock);
	uart->frozen = true;
	uart->frozen_at = uart->input.count;
	lock_drop(&device->lock);
}

static void uart_save(struct device *device, struct buffer *state)
{
	struct uart *uart = uart_of(device);
	uint8_t registers[PL011_STATE_SIZE], input[UART_INPUT_MAX];

	pl011_save(&uart->pl011, registers, sizeof(registers));
	buffer_put_block(state, registers, sizeof(registers));
	buffer_put_block(state, input, ring_peek(&uart->input, 0, input, uart->frozen_at));
}

static int uart_load(struct device *device, struct cursor *state, uint32_t version)
{
	struct uart *uart = uart_of(device);
	size_t registers_size, input_size;
	const void *registers = cursor_block(state, &registers_size);
	const void *input = cursor_block(state, &input_size);

	(void)version;
	ring_init(&uart->input, uart->input_bytes, sizeof(uart->input_bytes));
	if (!input || pl011_load(&uart->pl011, registers, registers_size) ||
	    ring_add(&uart->input, input, input_size) != input_size)
		return -EPROTO;
	return 0;
}

static void uart_reset(struct device *device)
{
	struct uart *uart = uart_of(device);

	pl011_init(&uart->pl011);
	ring_init(&uart->input, uart->input_bytes, sizeof(uart->input_bytes));
	device_set_line(device, false);
}

static void uart_destroy(struct device *device)
{
	lock_destroy(&device->lock);
	lock_destroy(&uart_of(device)->typing);
	backlog_destroy(&uart_of(device)->backlog);
}

static const struct device_ops uart_ops = {
	.name = "UART",
	.acpi_id = "ARMH0011",
	.section = SECTION_ID('U', 'A', 'R', 'T'),
	.version = 1,
	.read = uart_read,
	.write = uart_write,
	.start = uart_start,
	.quiesce = uart_quiesce,
	.save = uart_save,
	.load = uart_load,
	.reset = uart_reset,
	.destroy = uart_destroy,
};

void uart_init(struct uart *uart, struct console *console, const char *machine, const struct device_line *line)
{
	*uart = (struct uart){
		.device = { .ops = &uart_ops,
			    .base = LAYOUT_UART_BASE,
			    .size = LAYOUT_UART_SIZE,
			    .intid = LAYOUT_UART_INTID,
			    .line = *line },
		.console = console,
		.machine = machine,
	};
	lock_init(&uart->device.lock, LOCK_DEVICE);
	lock_init(&uart->typing, LOCK_TYPING);
	backlog_init(&uart->backlog);
}

/* ---- Input ---- */

bool uart_wants_input(struct uart *uart)
{
	size_t room = UART_INPUT_MAX;
	bool wants;

	lock_take(&uart->device.lock);
	if (uart->frozen && uart->frozen_at + UART_LATE_INPUT_MAX < room)
		room = uart->frozen_at + UART_LATE_INPUT_MAX;
	wants = uart->input.count < room;
	lock_drop(&uart->device.lock);
	return wants;
}

bool uart_begin_input(struct uart *uart)
{
	lock_take(&uart->typing);
	if (!uart->closed)
		return true;
	lock_drop(&uart->typing);
	return false;
}

void uart_end_input(struct uart *uart)
{
	lock_drop(&uart->typing);
}

bool uart_receive(struct uart *uart, uint8_t byte)
{
	bool taken, logged;

	lock_take(&uart->device.lock);
	taken = ring_add(&uart->input, &byte, 1);
	logged = uart->input_lost;
	uart->input_lost = !taken;
	uart_feed(uart);
	lock_drop(&uart->device.lock);
	if (!taken && !logged)
		log_line("%s: input is lost, because the guest has not read the %u bytes before it", uart->machine,
			 UART_INPUT_MAX);
	return taken;
}

size_t uart_late_input(struct uart *uart, uint8_t *bytes, size_t size)
{
	size_t count;

	lock_take(&uart->typing);
	uart->closed = true;
	lock_take(&uart->device.lock);
	count = ring_peek(&uart->input, uart->frozen_at, bytes, size);
	lock_drop(&uart->device.lock);
	lock_drop(&uart->typing);
	return count;
}
