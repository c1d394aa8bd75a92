/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A machine's description: what it is made of, wherever it is made.
 *
 * Policy: pure. A machine is described once, by whoever runs it first, and the description travels with it: `run`,
 * `receive`, `migrate`, `save` and `restore` use this one structure. One that comes from elsewhere is checked here for
 * what no machine of Seaclock can be; what this host cannot do is up to transfer/arrival.h.
 */
#ifndef VMM_MACHINE_CONFIG_H
#define VMM_MACHINE_CONFIG_H

#include "base/buffer.h"
#include "base/error.h"
#include "base/name.h"

#define CONFIG_ARCHITECTURE 183u /* AArch64, by its number in ELF files */
#define CONFIG_GIC 3u		 /* version of the interrupt controller */
#define CONFIG_SIZE_MAX 512u	 /* of a description as bytes */

struct machine_config {
	char name[NAME_SIZE];
	uint32_t vcpus;	       /* 1 to SC_VCPU_MAX */
	uint64_t memory_size;  /* bytes, LAYOUT_RAM_MIN to LAYOUT_RAM_MAX in units of LAYOUT_RAM_UNIT */
	uint32_t address_bits; /* of the guest's physical addresses; machine_create() fills it in */
};

/* 0, or -EPROTO and the sentence if no machine can be like this. */
int config_check(const struct machine_config *config, struct error *error);

/* As bytes, little-endian: part of the migration format. */
void config_put(struct buffer *buffer, const struct machine_config *config);
/* -EPROTO if the bytes are not a description, -ENOTSUP if they describe another kind of machine. */
int config_get(const void *data, size_t size, struct machine_config *config, struct error *error);

#endif
