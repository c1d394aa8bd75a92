/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A machine's console: the guest's UART, and input that waits for it.
 *
 * Policy: one lock, which nobody holds while waiting for anything. Input that the UART has no room for waits in a
 * queue, which moves with the machine.
 */
#include "base/layout.h"
#include "base/log.h"
#include "machine/machine.h"

#include <errno.h>

/* ---- The UART ---- */

static void uart_set_line(struct machine *machine, bool level)
{
	host_vm_set_spi(&machine->vm, LAYOUT_UART_INTID, level);
}

/* With the devices' lock: the UART takes what it has room for. */
static void uart_feed(struct machine *machine)
{
	uint64_t ignored;
	uint8_t byte;

	while (!machine->input_frozen && ring_peek(&machine->input, 0, &byte, 1) && pl011_receive(&machine->uart, byte))
		ring_take(&machine->input, &byte, 1, &ignored);
	uart_set_line(machine, pl011_irq(&machine->uart));
}

static uint64_t uart_read(void *device, uint64_t offset, unsigned int length)
{
	struct machine *machine = device;
	struct pl011_action action;
	uint32_t value = pl011_read(&machine->uart, offset, &action);

	(void)length;
	uart_feed(machine);
	return value;
}

static void uart_write(void *device, uint64_t offset, unsigned int length, uint64_t value)
{
	struct machine *machine = device;
	struct pl011_action action;

	(void)length;
	pl011_write(&machine->uart, offset, (uint32_t)value, &action);
	if (action.has_output)
		console_write(machine->console, &action.output, 1);
	uart_feed(machine);
}

static const struct bus_ops uart_ops = { .read = uart_read, .write = uart_write };

int machine_create_console(struct machine *machine, struct error *error)
{
	const struct bus_region uart = {
		.base = LAYOUT_UART_BASE,
		.size = LAYOUT_UART_SIZE,
		.ops = &uart_ops,
		.device = machine,
	};
	int result;

	pthread_mutex_init(&machine->devices, NULL);
	pthread_mutex_init(&machine->typing, NULL);
	pl011_init(&machine->uart);
	ring_init(&machine->input, machine->input_bytes, sizeof(machine->input_bytes));
	result = bus_add(&machine->bus, &uart);
	return result ? error_set(error, -result, "the UART does not fit into the memory map") : 0;
}

/* ---- Input ---- */

bool machine_wants_input(struct machine *machine)
{
	size_t room = MACHINE_INPUT_MAX;
	bool wants;

	pthread_mutex_lock(&machine->devices);
	if (machine->input_frozen && machine->input_frozen_at + MACHINE_LATE_INPUT_MAX < room)
		room = machine->input_frozen_at + MACHINE_LATE_INPUT_MAX;
	wants = machine->input.count < room;
	pthread_mutex_unlock(&machine->devices);
	return wants;
}

bool machine_begin_input(struct machine *machine)
{
	pthread_mutex_lock(&machine->typing);
	if (!machine->input_closed)
		return true;
	pthread_mutex_unlock(&machine->typing);
	return false;
}

void machine_end_input(struct machine *machine)
{
	pthread_mutex_unlock(&machine->typing);
}

bool machine_receive(struct machine *machine, uint8_t byte)
{
	bool taken, told;

	pthread_mutex_lock(&machine->devices);
	taken = ring_add(&machine->input, &byte, 1);
	told = machine->input_lost;
	machine->input_lost = !taken;
	uart_feed(machine);
	pthread_mutex_unlock(&machine->devices);
	if (!taken && !told)
		log_line("%s: input is lost, because the guest has not read the %u bytes before it",
			 machine->config.name, MACHINE_INPUT_MAX);
	return taken;
}

void machine_save_console(struct machine *machine, struct buffer *state)
{
	uint8_t uart[PL011_STATE_SIZE], input[MACHINE_INPUT_MAX];

	pthread_mutex_lock(&machine->devices);
	pl011_save(&machine->uart, uart, sizeof(uart));
	machine->input_frozen = true;
	machine->input_frozen_at = ring_peek(&machine->input, 0, input, sizeof(input));
	pthread_mutex_unlock(&machine->devices);
	buffer_put_block(state, uart, sizeof(uart));
	buffer_put_block(state, input, machine->input_frozen_at);
}

int machine_load_console(struct machine *machine, struct cursor *cursor)
{
	size_t uart_size, input_size;
	const void *uart = cursor_block(cursor, &uart_size);
	const void *input = cursor_block(cursor, &input_size);

	if (!input || pl011_load(&machine->uart, uart, uart_size) ||
	    ring_add(&machine->input, input, input_size) != input_size)
		return -EPROTO;
	return 0;
}

size_t machine_late_input(struct machine *machine, uint8_t *bytes, size_t size)
{
	size_t count;

	pthread_mutex_lock(&machine->typing);
	machine->input_closed = true;
	pthread_mutex_lock(&machine->devices);
	count = ring_peek(&machine->input, machine->input_frozen_at, bytes, size);
	pthread_mutex_unlock(&machine->devices);
	pthread_mutex_unlock(&machine->typing);
	return count;
}

void machine_thaw_input(struct machine *machine)
{
	pthread_mutex_lock(&machine->devices);
	machine->input_frozen = false;
	uart_feed(machine);
	pthread_mutex_unlock(&machine->devices);
}
