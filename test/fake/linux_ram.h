/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * RAM of a guest that runs Linux, and a vCPU's page tables in it, for tests of repair/: the port that it reads by, and
 * a writer of tables of every granule.
 *
 * Policy: what is read or written outside of RAM is refused and counted, and tests hold the count to 0. The tables are
 * built by plain tables of numbers from the Arm ARM, not by what repair/ computes.
 */
#ifndef FAKE_LINUX_RAM_H
#define FAKE_LINUX_RAM_H

#include <seaclock/repair.h>

#define LINUX_RAM_RANGES 2u

struct linux_range {
	uint64_t start;
	uint64_t size;
	uint8_t *bytes;
};

struct linux_ram {
	struct linux_range range[LINUX_RAM_RANGES]; /* the second may have no size */
	struct sc_vcpu_tables tables;
	bool off;	  /* the vCPU is */
	uint64_t outside; /* reads and writes that were not all in RAM */
	uint64_t read;	  /* bytes */
	uint64_t writes;
	uint64_t writes_max; /* what is written after so many writes fails */
};

/* Zeroed RAM of `size` bytes at `start`, and 1 MiB at `high` unless that is 0. */
void linux_ram_begin(struct linux_ram *ram, uint64_t start, uint64_t size, uint64_t high);
void linux_ram_end(struct linux_ram *ram);

struct sc_guest_port linux_ram_guest(struct linux_ram *ram);

/* Where an address lies; NULL outside. */
uint8_t *linux_ram_at(struct linux_ram *ram, uint64_t address, uint64_t size);
void linux_ram_store(struct linux_ram *ram, uint64_t address, uint64_t value, unsigned int bytes);

/* A shape of tables: bits of the granule, of kernel addresses, and whether descriptors have 52 bits of address. */
struct linux_shape {
	uint32_t granule_bits;
	uint32_t va_bits;
	bool wide;
};

struct linux_tables {
	struct linux_ram *ram;
	struct linux_shape shape;
	uint64_t first; /* the first table */
	uint64_t next;	/* where the next one goes; tables are taken one after the other */
};

/* The tables begin at `first`, all lie in the same 4 GiB, and the vCPU's registers lead there. */
void linux_tables_begin(struct linux_tables *tables, struct linux_ram *ram, const struct linux_shape *shape,
			uint64_t first);

/* Maps va to pa by a leaf at `level`, 3 for a page; returns where its descriptor lies. */
uint64_t linux_tables_map(struct linux_tables *tables, uint64_t va, uint64_t pa, int level);

/* How much a leaf at `level` maps. */
uint64_t linux_leaf_size(const struct linux_shape *shape, int level);

#endif
