/* SPDX-License-Identifier: BSD-2-Clause */
/* The guest's second console: see the header. */
#include "dev/virtio/console.h"

#include "base/section.h"

#include <errno.h>

#define QUEUE_INPUT 0u
#define QUEUE_OUTPUT 1u

static struct virtio_console *console_of(struct virtio *virtio)
{
	return (struct virtio_console *)virtio;
}

/* ---- Input ---- */

/* As much of the input as the chain has room for. */
static uint32_t console_fill(struct virtio_console *console, const struct virtqueue_chain *chain)
{
	uint32_t filled = 0;
	uint64_t ignored;

	if (chain->readable || !chain->writable) {
		virtio_fail(&console->virtio, "a place for input has a buffer to read from, or none to write to");
		return 0;
	}
	for (uint32_t n = chain->readable; n < (uint32_t)chain->readable + chain->writable; n++)
		filled += (uint32_t)ring_take(&console->input, chain->buffer[n].iov_base, chain->buffer[n].iov_len,
					      &ignored);
	return filled;
}

/* With the lock: the guest gets what it has buffers for. There is an end to it: each chain takes some of the input. */
static void console_feed(struct virtio_console *console)
{
	struct virtqueue *queue = &console->virtio.queue[QUEUE_INPUT];
	struct virtqueue_chain chain;

	if (console->frozen || !console->input.count)
		return;
	while (console->input.count && virtio_take(&console->virtio, queue, &chain))
		virtio_give(&console->virtio, queue, &chain, console_fill(console, &chain));
	virtio_used(&console->virtio, queue);
}

size_t virtio_console_room(struct virtio_console *console)
{
	struct device *device = &console->virtio.device;
	size_t room;

	lock_take(&device->lock);
	room = console->frozen ? 0 : console->input.capacity - console->input.count;
	lock_drop(&device->lock);
	return room;
}

size_t virtio_console_receive(struct virtio_console *console, const void *data, size_t size)
{
	struct device *device = &console->virtio.device;
	size_t taken;

	lock_take(&device->lock);
	taken = console->frozen ? 0 : ring_add(&console->input, data, size);
	console_feed(console);
	lock_drop(&device->lock);
	return taken;
}

/* ---- Output ---- */

static uint32_t console_put(struct virtio *virtio, const struct virtqueue_chain *chain)
{
	if (chain->writable || chain->readable_size > VIRTIO_CONSOLE_OUTPUT_MAX) {
		virtio_fail(virtio, "output has a buffer to write to, or is more than 1 MiB");
		return 0;
	}
	for (uint32_t n = 0; n < chain->readable; n++)
		backlog_put(&console_of(virtio)->backlog, chain->buffer[n].iov_base, chain->buffer[n].iov_len);
	return 0;
}

/* ---- The device ---- */

static void console_notify(struct virtio *virtio, uint32_t queue)
{
	if (queue == QUEUE_INPUT)
		console_feed(console_of(virtio));
	else
		virtio_serve(virtio, &virtio->queue[queue], console_put);
}

static void console_activate(struct virtio *virtio)
{
	console_feed(console_of(virtio));
}

static void console_reset(struct virtio *virtio)
{
	struct virtio_console *console = console_of(virtio);

	ring_init(&console->input, console->input_bytes, sizeof(console->input_bytes));
}

static void console_freeze(struct virtio *virtio, bool frozen)
{
	lock_take(&virtio->device.lock);
	console_of(virtio)->frozen = frozen;
	console_feed(console_of(virtio));
	lock_drop(&virtio->device.lock);
}

static void console_start(struct virtio *virtio)
{
	console_freeze(virtio, false);
}

static void console_quiesce(struct virtio *virtio)
{
	console_freeze(virtio, true);
}

static void console_save(struct virtio *virtio, struct buffer *state)
{
	struct virtio_console *console = console_of(virtio);
	uint8_t input[VIRTIO_CONSOLE_INPUT_MAX];

	buffer_put_block(state, input, ring_peek(&console->input, 0, input, sizeof(input)));
}

static int console_load(struct virtio *virtio, struct cursor *state, uint32_t version)
{
	size_t size;
	const void *input = cursor_block(state, &size);

	(void)version;
	console_reset(virtio);
	if (!input || ring_add(&console_of(virtio)->input, input, size) != size || !cursor_finish(state))
		return -EPROTO;
	return 0;
}

static void console_destroy(struct virtio *virtio)
{
	backlog_destroy(&console_of(virtio)->backlog);
}

static const struct virtio_ops console_ops = {
	.name = "virtio console",
	.id = 3,
	.section = SECTION_ID('V', 'C', 'O', 'N'),
	.version = 1,
	.queues = 2,
	.activate = console_activate,
	.notify = console_notify,
	.reset = console_reset,
	.start = console_start,
	.quiesce = console_quiesce,
	.save = console_save,
	.load = console_load,
	.destroy = console_destroy,
};

void virtio_console_init(struct virtio_console *console, uint32_t slot, struct memory *memory, const char *machine,
			 const struct device_line *line)
{
	virtio_init(&console->virtio, &console_ops, slot, 0, memory, machine, line);
	backlog_init(&console->backlog);
	console->frozen = false;
	console_reset(&console->virtio);
}
