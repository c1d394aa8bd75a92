/* SPDX-License-Identifier: BSD-2-Clause */
/* Random numbers for the guest: see the header. */
#include "dev/virtio/random.h"

#include "base/section.h"
#include "host/host.h"

static uint32_t random_fill(struct virtio *virtio, const struct virtqueue_chain *chain)
{
	uint32_t filled = 0;

	if (chain->readable || !chain->writable) {
		virtio_fail(virtio, "a request for random numbers has a buffer to read from, or none to write to");
		return 0;
	}
	for (uint32_t n = chain->readable; n < (uint32_t)chain->readable + chain->writable; n++) {
		const struct iovec *buffer = &chain->buffer[n];
		uint32_t room = VIRTIO_RANDOM_MAX - filled;
		uint32_t part = buffer->iov_len < room ? (uint32_t)buffer->iov_len : room;

		host_random(buffer->iov_base, part);
		filled += part;
	}
	return filled;
}

static void random_notify(struct virtio *virtio, uint32_t queue)
{
	virtio_serve(virtio, &virtio->queue[queue], random_fill);
}

static const struct virtio_ops random_ops = {
	.name = "random number generator",
	.id = 4,
	.section = SECTION_ID('V', 'R', 'N', 'G'),
	.version = 1,
	.queues = 1,
	.notify = random_notify,
};

void virtio_random_init(struct virtio_random *random, uint32_t slot, struct memory *memory, const char *machine,
			const struct device_line *line)
{
	virtio_init(&random->virtio, &random_ops, slot, 0, memory, machine, line);
}
