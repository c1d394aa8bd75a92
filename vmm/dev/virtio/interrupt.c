/* SPDX-License-Identifier: BSD-2-Clause */
/* The interrupts of a virtio device: see the header. */
#include "dev/virtio/interrupt.h"

#include "dev/virtio/window.h"

#define KINDS (VIRTIO_INTERRUPT_USED | VIRTIO_INTERRUPT_CONFIG)

uint32_t interrupt_status(const struct virtio *virtio)
{
	bool always = virtio->window ? virtio_has_driver(virtio) : virtio->called;

	return virtio->interrupt | (always ? VIRTIO_INTERRUPT_USED : 0);
}

bool interrupt_is_valid(const struct virtio *virtio)
{
	return !(virtio->interrupt & ~(virtio->window ? VIRTIO_INTERRUPT_CONFIG : KINDS));
}

/* ---- The line, of older models ---- */

static void line_set(const struct virtio *virtio)
{
	device_set_line(&virtio->device, virtio->interrupt);
}

/* The line is a system call, so it is left alone where it stays as it is. */
static void line_follow(struct virtio *virtio, uint32_t interrupt)
{
	bool changes = !virtio->interrupt != !interrupt;

	virtio->interrupt = interrupt;
	if (changes)
		line_set(virtio);
}

/* Whether the kernel has raised the line nobody knows here, so only an answer to that lowers it. */
static void line_acknowledge(struct virtio *virtio, uint32_t why)
{
	if (!virtio->called) {
		line_follow(virtio, virtio->interrupt & ~why);
		return;
	}
	virtio->interrupt &= ~why;
	if (why & VIRTIO_INTERRUPT_USED)
		line_set(virtio);
}

/* ---- Either ---- */

void interrupt_raise(struct virtio *virtio, uint32_t why)
{
	if (!virtio->window) {
		line_follow(virtio, virtio->interrupt | why);
		return;
	}
	if (why & VIRTIO_INTERRUPT_CONFIG) {
		virtio->interrupt = VIRTIO_INTERRUPT_CONFIG;
		window_show(virtio);
	}
	device_pulse(&virtio->device);
}

void interrupt_acknowledge(struct virtio *virtio, uint32_t why)
{
	if (virtio->window)
		virtio->interrupt &= ~why;
	else
		line_acknowledge(virtio, why);
}

void interrupt_clear(struct virtio *virtio)
{
	virtio->interrupt = 0;
	line_set(virtio);
}

void interrupt_start(struct virtio *virtio)
{
	if (!virtio->window)
		line_set(virtio);
	else if (virtio_has_driver(virtio))
		device_pulse(&virtio->device);
}

bool interrupt_lend(struct virtio *virtio, int event)
{
	const struct device_line *line = &virtio->device.line;

	virtio->called = line->set_call && !line->set_call(line->context, virtio->device.intid, event, true);
	return virtio->called;
}

void interrupt_return(struct virtio *virtio, int event)
{
	const struct device_line *line = &virtio->device.line;

	line->set_call(line->context, virtio->device.intid, event, false);
	virtio->called = false;
	if (virtio->window) {
		device_pulse(&virtio->device);
		return;
	}
	virtio->interrupt |= VIRTIO_INTERRUPT_USED;
	device_set_line(&virtio->device, true);
}
