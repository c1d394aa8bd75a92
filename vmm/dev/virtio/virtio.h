/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A virtio device over MMIO: the transport, which is the same for all, and the contract of what is behind it.
 *
 * Policy: the transport is a device (dev/device.h), and knows of the front end behind it only struct virtio_ops. It
 * offers VIRTIO_F_VERSION_1, event indices and indirect descriptors to each, and checks what the driver does: features
 * that were not offered, queues that do not exist, a status that goes backwards. A front end that finds its queue
 * broken calls virtio_fail(): the driver sees DEVICE_NEEDS_RESET and the log one line. How the driver reads registers
 * and is interrupted depends on the machine's model (window.h, interrupt.h).
 * Source: Virtual I/O Device (VIRTIO) Version 1.2, sections 2.1, 3.1 and 4.2.2.
 */
#ifndef VMM_DEV_VIRTIO_VIRTIO_H
#define VMM_DEV_VIRTIO_VIRTIO_H

#include "dev/device.h"
#include "dev/virtio/queue.h"

#define VIRTIO_QUEUES_MAX 8u

/* Of a device, in bytes; its configuration is behind them. */
#define VIRTIO_REGISTERS_SIZE 0x100u

/* Bits of InterruptStatus. */
#define VIRTIO_INTERRUPT_USED 1u
#define VIRTIO_INTERRUPT_CONFIG 2u

struct virtio;

/*
 * What a front end is. All functions but start, halt, quiesce and destroy are called with the device's lock. Where one
 * is NULL there is nothing to do; only notify is always there.
 */
struct virtio_ops {
	const char *name; /* for messages */
	uint32_t id;	  /* of its kind: section 5 of the specification */
	uint32_t section; /* of its state in the stream; the transport's own is part of it */
	uint32_t version;
	uint32_t queues; /* 1 to VIRTIO_QUEUES_MAX */

	/* The features of its kind that this device offers, bits 0 to 23 and 50 to 63. */
	uint64_t (*features)(struct virtio *virtio);
	/* Its configuration space: `length` bytes at `offset`, which are 0; what is beyond stays so. NULL: it has none.
	 */
	void (*config_read)(struct virtio *virtio, uint32_t offset, void *data, uint32_t length);
	void (*config_write)(struct virtio *virtio, uint32_t offset, const void *data, uint32_t length);

	/* The driver has set DRIVER_OK: all queues that it wants are ready. */
	void (*activate)(struct virtio *virtio);
	/* There may be something new in a queue. Does not block. */
	void (*notify)(struct virtio *virtio, uint32_t queue);
	/*
	 * The driver resets the device, or the machine starts anew. Requests that are under way must not touch guest
	 * memory any more once this has returned.
	 */
	void (*reset)(struct virtio *virtio);

	/* As in dev/device.h, of what is behind the transport. */
	void (*start)(struct virtio *virtio);
	void (*halt)(struct virtio *virtio);
	void (*quiesce)(struct virtio *virtio);
	void (*demand)(struct virtio *virtio, struct buffer *demand);
	int (*examine)(struct virtio *virtio, struct cursor *demand, struct error *error);
	void (*save)(struct virtio *virtio, struct buffer *state);
	int (*load)(struct virtio *virtio, struct cursor *state, uint32_t version);
	void (*destroy)(struct virtio *virtio);
};

struct virtio {
	struct device device;	      /* first, so that it is the device */
	struct device_ops device_ops; /* its device's, with name and section of the front end */
	const struct virtio_ops *ops;
	struct memory *memory;
	const char *machine; /* its name, for messages */
	struct virtqueue queue[VIRTIO_QUEUES_MAX];
	uint64_t features; /* negotiated */
	uint32_t status;
	struct virtio_window *window; /* NULL: of an older model, whose registers have none */
	uint32_t interrupt;	      /* what InterruptStatus says besides what it always says: interrupt.h */
	bool called;		      /* the kernel interrupts the driver as well */
	uint32_t generation;	      /* of the configuration */
	uint32_t queue_selected;
	uint32_t features_selected;	   /* which word of what the device offers */
	uint32_t driver_features_selected; /* which word of what the driver takes */
	uint32_t failures_logged;
};

/*
 * At place `slot` of the window for virtio devices, which is also the _UID of its ACPI node, as instance number
 * `instance` of its kind. Memory and the machine's name live as long as the device.
 */
void virtio_init(struct virtio *virtio, const struct virtio_ops *ops, uint32_t slot, uint32_t instance,
		 struct memory *memory, const char *machine, const struct device_line *line);

/*
 * Before the guest runs: notifications of a queue signal the eventfd where the host can do that, whatever the device's
 * state, and come by notify() elsewhere.
 */
void virtio_set_bell(const struct virtio *virtio, uint32_t queue, int event);

/* All features that the device offers. */
uint64_t virtio_offered(struct virtio *virtio);
/* With the lock: the features that both sides have; 0 before they are negotiated. */
uint64_t virtio_negotiated(const struct virtio *virtio);
/* With the lock: whether the driver has begun, also if the device has failed since. */
bool virtio_has_driver(const struct virtio *virtio);
/* With the lock: whether the driver has made the device live, and it has not failed. */
bool virtio_is_live(const struct virtio *virtio);
/*
 * With the lock: the next chain of a queue of a live device, as virtqueue_take(); false if there is none, and then the
 * driver has been asked to notify of the next.
 */
bool virtio_take(struct virtio *virtio, struct virtqueue *queue, struct virtqueue_chain *chain);
/*
 * With the lock: the chain goes back, its writable buffers marked as far as `written`. Without an interrupt: that comes
 * by virtio_used(), once for all that went back together.
 */
void virtio_give(struct virtio *virtio, struct virtqueue *queue, const struct virtqueue_chain *chain, uint32_t written);
/*
 * With the lock: serves all chains of a queue, and interrupts the driver. For a front end that is done with a chain at
 * once: `serve` says how many bytes it has written, from the first on. The lock is dropped between many chains, and the
 * driver may have reset the device then.
 */
void virtio_serve(struct virtio *virtio, struct virtqueue *queue,
		  uint32_t (*serve)(struct virtio *virtio, const struct virtqueue_chain *chain));
/* With the lock: chains were given back to a queue; interrupts the driver if it wants that. */
void virtio_used(struct virtio *virtio, struct virtqueue *queue);
/* With the lock: the configuration has changed. */
void virtio_config_changed(struct virtio *virtio);
/* With the lock: the driver has broken the rules; `what` is a clause for the log. */
void virtio_fail(struct virtio *virtio, const char *what);

#endif
