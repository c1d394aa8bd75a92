/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * QEMU's firmware configuration device: named files that firmware reads, through a register or by DMA.
 *
 * Policy: read only. Files are given before the guest runs and travel with the machine, because firmware may be in the
 * middle of one, and because another version of the monitor may write them otherwise. The guest says where a DMA goes:
 * what is not in its RAM, or is larger than any file can be, fails with the interface's error bit. An item that is not
 * there reads as zeroes, as from QEMU. Source: QEMU, docs/specs/fw_cfg.
 */
#ifndef VMM_DEV_FWCFG_H
#define VMM_DEV_FWCFG_H

#include "dev/device.h"
#include "host/memory.h"

#define FWCFG_NAME_SIZE 56u
#define FWCFG_FILES_MAX 8u
#define FWCFG_FILE_SIZE_MAX 0x20000u

struct fwcfg_file {
	char name[FWCFG_NAME_SIZE];
	uint8_t *data;
	uint32_t size;
};

struct fwcfg {
	struct device device; /* first, so that it is the device; its lock covers what follows */
	struct memory *memory;
	uint32_t vcpus;
	struct fwcfg_file file[FWCFG_FILES_MAX];
	uint32_t files;
	uint16_t key;	 /* of the selected item */
	uint32_t offset; /* in it, of the next byte */
	uint64_t dma;	 /* the address register */
};

void fwcfg_init(struct fwcfg *fwcfg, struct memory *memory, uint32_t vcpus, const struct device_line *line);

/* A copy of a file, which replaces the one of that name. At most FWCFG_FILES_MAX of FWCFG_FILE_SIZE_MAX; -ENOMEM. */
int fwcfg_put(struct fwcfg *fwcfg, const char *name, const void *data, size_t size, struct error *error);

#endif
