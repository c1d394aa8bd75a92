/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A machine that arrives, by a connection or in a file: whether this host can take it, and the empty machine for it.
 *
 * Policy: what this host cannot do is refused before anything of the guest is touched.
 */
#ifndef VMM_TRANSFER_ARRIVAL_H
#define VMM_TRANSFER_ARRIVAL_H

#include "machine/machine.h"
#include "transfer/sink.h"

/* What a machine here says first of itself, but for the migration's own facts. */
struct frame_hello arrival_hello(const struct machine *machine, enum sc_level level);

/* HELLO, and the machine's description behind it. */
int arrival_announce(struct sink *sink, const struct frame_hello *hello, const struct machine_config *config,
		     struct error *error);

/* What is called otherwise on this host than in the machine's description; "" and NULL: the same. */
struct arrival_names {
	const char *name; /* the machine's */
	char kernel[CONFIG_PATH_SIZE];
	char initrd[CONFIG_PATH_SIZE];
	char firmware[CONFIG_PATH_SIZE];
	char variables[CONFIG_PATH_SIZE];
	char disk[CONFIG_DISKS_MAX][CONFIG_PATH_SIZE];
	char net[CONFIG_NETS_MAX][CONFIG_PLUG_SIZE];
};

/* -EINVAL: it names a disk, a network device or firmware that the machine does not have, or cannot have so. */
int arrival_rename(struct machine_config *config, const struct arrival_names *names, struct error *error);

/*
 * Makes the machine that `config` describes, as one that is being received, with these names; NULL: as it is described,
 * and it never boots from its files here, so they are not looked for. -EPROTO: hello and description are of different
 * machines; -ENOTSUP, -ENOMEM: this host cannot; and as arrival_rename() and payload_check().
 */
int arrival_create(struct machine *machine, const struct frame_hello *hello, const struct machine_config *config,
		   const struct arrival_names *names, struct console *console, struct error *error);

/* After the state was loaded: -EPROTO if it is of another counter rate than the hello says. */
int arrival_check_rate(const struct machine *machine, uint32_t hello_hz, struct error *error);

#endif
