/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A machine's description: what it is made of, wherever it is made.
 *
 * Policy: pure. A machine is described once, by whoever runs it first, and the description travels with it: `run`,
 * `receive`, `migrate`, `save` and `restore` use this one structure. One that comes from elsewhere is checked here for
 * what no machine of Seaclock can be; what this host cannot do is up to transfer/arrival.h. As bytes it is what it has
 * been in protocol 5, with a section for each thing that has come since.
 */
#ifndef VMM_MACHINE_CONFIG_H
#define VMM_MACHINE_CONFIG_H

#include "base/buffer.h"
#include "base/error.h"
#include "base/name.h"
#include "host/identity.h"
#include "machine/mac.h"

#define CONFIG_ARCHITECTURE 183u /* AArch64, by its number in ELF files */
#define CONFIG_GIC 3u		 /* version of the interrupt controller */
#define CONFIG_SIZE_MAX 16384u	 /* of a description as bytes */

#define CONFIG_PATH_SIZE 1024u
#define CONFIG_COMMAND_LINE_SIZE 2048u
#define CONFIG_DISKS_MAX 8u
#define CONFIG_NETS_MAX 4u
#define CONFIG_PLUG_SIZE 128u  /* of a plug's text (dev/net/plug.h) */
#define CONFIG_SERIAL_SIZE 21u /* 20 characters and the end */
#define CONFIG_RECONNECT_MAX_S 86400u
#define CONFIG_RECONNECT_DEFAULT_S 60u

/*
 * Which devices a machine has besides its disks, and what their guest sees of them; so a machine keeps its model for
 * ever.
 */
enum config_model {
	CONFIG_MODEL_UART = 1, /* the UART alone: all machines of protocol 5 */
	CONFIG_MODEL_DEVICES,  /* random numbers, console, power button, clocks as well */
	CONFIG_MODEL_WINDOW,   /* the same; the interrupts of virtio devices are edges, and their registers memory */
	CONFIG_MODEL_NEW = CONFIG_MODEL_WINDOW, /* what new machines have */
};

/* What the guest's own reset, or its panic, does. */
enum config_action {
	CONFIG_EXIT,  /* the machine ends */
	CONFIG_RESET, /* it starts anew, in place */
};

/* A disk of the guest. */
struct config_disk {
	char where[CONFIG_PATH_SIZE]; /* a file, a block device or an NBD URI, as this host names it */
	char serial[CONFIG_SERIAL_SIZE];
	bool readonly;
	uint32_t reconnect_s; /* a server that is away: requests wait so long, then fail */
	uint64_t size;	      /* bytes, as its guest knows it; 0: no guest has seen it. machine_create() fills it in */
};

/* A network device of the guest. */
struct config_net {
	char where[CONFIG_PLUG_SIZE]; /* a plug's text, as this host names it */
	uint8_t mac[MAC_SIZE];	      /* of one interface; all zero: not said. machine_create() fills it in */
	uint32_t mtu; /* as its guest knows it; 0: no guest has been told. machine_create() fills it in */
};

struct machine_config {
	char name[NAME_SIZE];
	uint32_t vcpus;	       /* 1 to SC_VCPU_MAX */
	uint64_t memory_size;  /* bytes, LAYOUT_RAM_MIN to LAYOUT_RAM_MAX in units of LAYOUT_RAM_UNIT */
	uint32_t address_bits; /* of the guest's physical addresses; machine_create() fills it in */
	enum config_model model;
	/* What it is told (machine/processor.h), or comes with its state; of it the bytes have MIDR_EL1 and its like.
	 */
	struct identity cpu;
	enum config_action on_reboot;
	enum config_action on_panic;
	bool repair; /* its guest's kernel may be repaired (transfer/repair.h), whoever asks for a move */
	char kernel[CONFIG_PATH_SIZE]; /* what it boots from, as this host names it */
	char initrd[CONFIG_PATH_SIZE]; /* "": none */
	char command_line[CONFIG_COMMAND_LINE_SIZE];
	char firmware[CONFIG_PATH_SIZE];  /* what it boots by instead, as this host names it; "": direct boot */
	char variables[CONFIG_PATH_SIZE]; /* the firmware's; "": in memory only */
	struct config_disk disk[CONFIG_DISKS_MAX];
	uint32_t disks;
	struct config_net net[CONFIG_NETS_MAX];
	uint32_t nets;
};

/* What a new machine has where nobody says otherwise, without a name and a kernel. */
void config_init(struct machine_config *config);
struct config_disk config_disk_default(void);

/* An action by its word, "exit" or "reset". */
const char *config_action_name(enum config_action action);
bool config_action_parse(const char *name, enum config_action *action);

/* 0; or -EINVAL and a sentence that begins with a field, as seaclock.json(5) calls it, that no machine has so. */
int config_check(const struct machine_config *config, struct error *error);
/* The same of one disk; the fields' names begin with `prefix`. */
int config_disk_check(const struct config_disk *disk, const char *prefix, struct error *error);
int config_net_check(const struct config_net *net, const char *prefix, struct error *error);

/*
 * A network device that was given no address gets one that is locally administered, and follows from the machine's name
 * and the device's number, so that it is the same whenever the machine is run.
 */
void config_complete_macs(struct machine_config *config);

/* As bytes, little-endian: part of the migration format. */
void config_put(struct buffer *buffer, const struct machine_config *config);
/*
 * -EPROTO if the bytes are not a description, -ENOTSUP if they describe another kind of machine. A description of
 * protocol 5 ends before the sections: its machine has a UART only, and ends at a reset.
 */
int config_get(const void *data, size_t size, struct machine_config *config, struct error *error);

#endif
