/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Random numbers for the guest: a virtio entropy device.
 *
 * Policy: they are the host kernel's, drawn anew for each request, so there is nothing that a saved machine could
 * repeat. A request gets at most VIRTIO_RANDOM_MAX bytes, which the specification allows: the driver asks again.
 * Source: Virtual I/O Device (VIRTIO) Version 1.2, section 5.4.
 */
#ifndef VMM_DEV_VIRTIO_RANDOM_H
#define VMM_DEV_VIRTIO_RANDOM_H

#include "dev/virtio/virtio.h"

#define VIRTIO_RANDOM_MAX 1024u

struct virtio_random {
	struct virtio virtio; /* first, so that it is the device */
};

/* As virtio_init(). */
void virtio_random_init(struct virtio_random *random, uint32_t slot, struct memory *memory, const char *machine,
			const struct device_line *line);

#endif
