/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What every device of a machine is to the machine: the contract between them.
 *
 * Policy: the machine knows this and no device; a new device is a file in this folder and a line in the table of
 * machine/devices.c. A device has its own lock, which is held during read, write, demand, examine, save, load and
 * reset, and which it takes itself where it is used from elsewhere. Nobody waits for anything while holding it.
 *
 * A device's life: it is made, reset() once, then start(). Before the machine's state is taken comes quiesce(), while
 * all of memory is still to be sent, and after that either save() and the end of the device, or start() again. Whenever
 * a device is quiesced the machine's vCPUs stand still, from before quiesce() until after start(). The reverse does not
 * hold: a machine that is paused has its vCPUs stand still and is not quiesced, so its devices go on with what is under
 * way, and write memory and raise interrupts, which the guest finds later. A second quiesce() without start() between
 * them has to work. On the other host it is made and reset() there, then load() and start(). When the machine is reset
 * in place come quiesce(), reset(), and, once memory is anew, start(). At the end come quiesce(), maybe a second one,
 * and destroy(), while the machine's memory is still there.
 *
 * What the guest's ACPI has to know of a device stands here as well, so that the tables (boot/acpi.h) can be written
 * from it. A device whose interrupt is an event drives its line by device_pulse(), and the guest hears of it as a
 * notification of the device.
 */
#ifndef VMM_DEV_DEVICE_H
#define VMM_DEV_DEVICE_H

#include "base/buffer.h"
#include "base/error.h"
#include "base/lock.h"

#include <stdbool.h>
#include <stdint.h>

struct device;
struct virtio_window;

struct device_ops {
	const char *name;    /* for messages */
	const char *acpi_id; /* _HID of its ACPI node, which has its region and its interrupt; NULL: it has none */
	const char *acpi_compatible; /* _CID and _DDN; NULL: none */
	bool acpi_address;	     /* its region stands in ADDR */
	bool event;		     /* its interrupt is an event */
	bool edge;		     /* its interrupt is an edge, which its driver takes */
	bool coherent;		     /* it reads and writes guest memory, coherently with the vCPUs' caches */
	uint32_t section;	     /* id of its state in the stream, SECTION_ID() */
	uint32_t version;	     /* of that state */

	/* An access to its region: the offset is a multiple of `length`, which is 1, 2, 4 or 8 bytes. NULL: its region
	 * is guest memory, or it has none. */
	uint64_t (*read)(struct device *device, uint64_t offset, unsigned int length);
	void (*write)(struct device *device, uint64_t offset, unsigned int length, uint64_t value);

	/* The guest runs from now on, or goes on: begins, or goes on with, what the device does by itself. NULL, as
	 * quiesce: it does nothing by itself. */
	void (*start)(struct device *device);
	/* All devices are about to be quiesced: begins what quiesce() would wait for. NULL: it does not wait. */
	void (*halt)(struct device *device);
	/* The guest stands still: the device stops its threads, and finishes or keeps what is under way. One that has
	 * not done so in time says that elsewhere (devices_settled()), and must not be saved. */
	void (*quiesce)(struct device *device);
	/* About once a second, also while the guest stands still, from a thread of the machine; NULL: no need. */
	void (*tick)(struct device *device);

	/*
	 * What another host must have for the device as it is now; and whether this host, whose device has just been
	 * made, has it: -errno and a sentence, -EPROTO for what demand() cannot have written. Later versions may demand
	 * more behind it. NULL, both: nothing.
	 */
	void (*demand)(struct device *device, struct buffer *demand);
	int (*examine)(struct device *device, struct cursor *demand, struct error *error);
	void (*save)(struct device *device, struct buffer *state);
	/* All of the cursor, of a version up to its own; -EPROTO, without a sentence, for what save() cannot have
	 * written. */
	int (*load)(struct device *device, struct cursor *state, uint32_t version);
	/* As it is at power-on. */
	void (*reset)(struct device *device);
	/* It is quiesced, and not used any more. */
	void (*destroy)(struct device *device);
};

/* Where a device's interrupt goes. */
struct device_line {
	void (*set)(void *context, uint32_t intid, bool level);
	/*
	 * From now on a store of `value`, 4 bytes, at a guest physical address signals the eventfd, and the vCPU goes
	 * on without coming to the device. NULL, or no effect where the host cannot do that.
	 */
	void (*set_bell)(void *context, uint64_t gpa, uint32_t value, int event);
	/*
	 * From now on, or no longer, the eventfd raises the line, without a thread of the monitor; only set() lowers
	 * it. With the device's lock: KVM has only its own work to wait for. -errno, and NULL: this host cannot do
	 * that.
	 */
	int (*set_call)(void *context, uint32_t intid, int event, bool on);
	/* Whether the guest's loads from the ROM or the window at this address are its own, or come to the device, as
	 * its stores do. It changes each time. With the device's lock: KVM has only its own work to wait for. */
	void (*show_rom)(void *context, uint64_t gpa, bool shown);
	/*
	 * A vCPU that is in write() waits for something outside from here on, or does so no longer: meanwhile it counts
	 * as one that stands still, and the machine must neither be saved nor moved. Without the device's lock. NULL:
	 * nobody minds.
	 */
	void (*wait)(void *context, bool waits);
	/* Where the guest reads the registers of virtio devices; NULL: all its loads come to the device. */
	struct virtio_window *window;
	void *context;
};

struct device {
	const struct device_ops *ops;
	uint32_t instance; /* of its section, from 0 */
	uint32_t uid;	   /* _UID of its ACPI node: another for each with the same _HID */
	uint64_t base;	   /* its region of guest physical addresses */
	uint64_t size;	   /* 0: none */
	uint32_t intid;	   /* its SPI */
	struct device_line line;
	struct lock lock;
};

/* Drives the device's interrupt line. */
static inline void device_set_line(const struct device *device, bool level)
{
	device->line.set(device->line.context, device->intid, level);
}

/* One edge of it. */
static inline void device_pulse(const struct device *device)
{
	device_set_line(device, true);
	device_set_line(device, false);
}

#endif
