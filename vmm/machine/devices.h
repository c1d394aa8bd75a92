/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The devices of a machine: made by one table, and from then on the same to the machine.
 *
 * Policy: the one place of the machine that knows which devices there are.
 */
#ifndef VMM_MACHINE_DEVICES_H
#define VMM_MACHINE_DEVICES_H

#include "base/error.h"
#include "base/section.h"
#include "boot/acpi.h"
#include "dev/bus.h"
#include "dev/button.h"
#include "dev/flash.h"
#include "dev/fwcfg.h"
#include "dev/genid.h"
#include "dev/rtc.h"
#include "dev/uart.h"
#include "dev/virtio/block.h"
#include "dev/virtio/console.h"
#include "dev/virtio/net.h"
#include "dev/virtio/random.h"
#include "dev/wallclock.h"
#include "machine/disks.h"
#include "machine/nets.h"

struct devices {
	struct bus bus;
	struct uart uart;
	struct block disk[CONFIG_DISKS_MAX];
	uint32_t disks;
	struct net net[CONFIG_NETS_MAX];
	uint32_t nets;
	bool full; /* it has what follows, up to the flash */
	struct virtio_random random;
	struct virtio_console console;
	struct button button;
	struct genid genid;
	struct wallclock wallclock;
	struct rtc rtc;
	bool flashes; /* it has what follows, as a machine with firmware has */
	struct flash flash;
	struct fwcfg fwcfg;
};

/* What devices reach of their machine. All of it lives as long as they do. */
struct devices_host {
	const struct machine_config *config; /* whose model says which devices there are */
	const struct disks *disks;	     /* open */
	const struct nets *nets;	     /* open */
	struct memory *memory;
	struct console *console;
	struct device_line line;
	struct wallclock_counter counter;
};

int devices_create(struct devices *devices, const struct devices_host *host, struct error *error);
void devices_destroy(struct devices *devices);

/* As in the contract (dev/device.h), for all of them; what they wait for, they wait for together. */
void devices_start(struct devices *devices);
void devices_quiesce(struct devices *devices);
void devices_reset(struct devices *devices);
/* Of devices that are quiesced: -ETIMEDOUT and a sentence if a disk is still at work; none may be reset then. */
int devices_stand(struct devices *devices, struct error *error);
/*
 * The same: -errno and a sentence if a disk could not be flushed, or is still at work, or the firmware's variables are
 * still being written. What the guest wrote may not be there then, so the machine must not go on elsewhere.
 */
int devices_settled(struct devices *devices, struct error *error);
/* Whose the files are that devices write by themselves: as disk_lock() and disk_unlock(). */
int devices_lock(struct devices *devices, int limit_ms, struct error *error);
int devices_unlock(struct devices *devices, int limit_ms, struct error *error);
/* While the guest runs: begins to flush all disks, so that less is left for the stop; and whether that is over. */
void devices_flush_ahead(struct devices *devices);
bool devices_have_flushed_ahead(struct devices *devices);
/* Whether what the kernel writes to guest memory for them is marked as dirty: 0, or -errno and a sentence. */
int devices_set_log(struct devices *devices, bool on, struct error *error);
/* Whether any of them has a tick; and that of all. */
bool devices_want_ticks(const struct devices *devices);
void devices_tick(struct devices *devices);

/* The machine has been loaded from a file: what tells copies of it from each other changes. */
void devices_renew(struct devices *devices);

/* Nodes for the ACPI tables, at most `room`: how many. */
unsigned int devices_describe(const struct devices *devices, struct acpi_node *nodes, unsigned int room);

/*
 * What another host must have for them, a section for each; and whether this one has it, by the same section: as in
 * the contract. One without content demands nothing.
 */
void devices_demand(struct devices *devices, struct buffer *demand);
int devices_examine(struct device *device, struct section *section, struct error *error);
/* After that: -EINVAL and a sentence if two disks are exchanged. */
int devices_check_places(const struct devices *devices, struct error *error);

/* A section for each. */
void devices_save(struct devices *devices, struct buffer *state);

/* The device that such a section is of, NULL if there is none. */
struct device *devices_find(const struct devices *devices, uint32_t section_id, uint32_t instance);
/* Loads it. -EPROTO, without a sentence, if nothing can have saved the content. */
int devices_load(struct device *device, struct section *section);

#endif
