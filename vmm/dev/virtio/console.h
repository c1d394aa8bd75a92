/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The guest's second console: a virtio console with one port.
 *
 * Policy: what the guest says goes to a backlog, which keeps the end of it and has at most one reader; nobody waits for
 * him. Input waits in a queue until the guest has a buffer for it, and moves with the machine. From quiesce() on none
 * is taken, so that it stays with whoever has it; a reset forgets it. The size of a terminal is not told:
 * VIRTIO_CONSOLE_F_SIZE is not offered. Source: Virtual I/O Device (VIRTIO) Version 1.2, section 5.3.
 */
#ifndef VMM_DEV_VIRTIO_CONSOLE_H
#define VMM_DEV_VIRTIO_CONSOLE_H

#include "base/ring.h"
#include "dev/backlog.h"
#include "dev/virtio/virtio.h"

/* Input that the guest has no buffer for yet. */
#define VIRTIO_CONSOLE_INPUT_MAX 4096u
/* Output in one chain: what the lock is held for. Linux has 32 KiB at most. */
#define VIRTIO_CONSOLE_OUTPUT_MAX (1u << 20)

struct virtio_console {
	struct virtio virtio; /* first, so that it is the device; its lock covers the input */
	struct backlog backlog;
	struct ring input;
	bool frozen; /* the state is being saved */
	uint8_t input_bytes[VIRTIO_CONSOLE_INPUT_MAX];
};

/* As virtio_init(). */
void virtio_console_init(struct virtio_console *console, uint32_t slot, struct memory *memory, const char *machine,
			 const struct device_line *line);

/* How many bytes of input there is room for now. */
size_t virtio_console_room(struct virtio_console *console);
/* Input for the guest: how many of the bytes were taken. */
size_t virtio_console_receive(struct virtio_console *console, const void *data, size_t size);

#endif
