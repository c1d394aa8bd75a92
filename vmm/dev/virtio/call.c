/* SPDX-License-Identifier: BSD-2-Clause */
/* The interrupts of a virtio device whose chains the kernel gives back: see the header. */
#include "dev/virtio/call.h"

bool call_begin(struct virtio *virtio, int event)
{
	const struct device_line *line = &virtio->device.line;

	virtio->called = line->set_call && !line->set_call(line->context, virtio->device.intid, event, true);
	return virtio->called;
}

void call_end(struct virtio *virtio, int event)
{
	const struct device_line *line = &virtio->device.line;

	line->set_call(line->context, virtio->device.intid, event, false);
	virtio->called = false;
	virtio->interrupt |= VIRTIO_INTERRUPT_USED;
	device_set_line(&virtio->device, true);
}
