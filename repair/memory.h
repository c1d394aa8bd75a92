/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Memory: the guest's, through the port, and the arena's.
 *
 * Policy: this is the only file that calls the port's read() and write(), and it asks is_ram() before. Whoever has an
 * address of the guest's may pass it on unchecked.
 */
#ifndef REPAIR_MEMORY_H
#define REPAIR_MEMORY_H

#include <seaclock/repair.h>

/* Copies from guest physical memory. -SC_REFUSED_MEMORY. */
int sc_ram_read(const struct sc_guest_port *guest, uint64_t address, void *to, size_t size, struct sc_refusal *why);

/* Copies to guest physical memory: all of it, or nothing. -SC_REFUSED_MEMORY. */
int sc_ram_write(const struct sc_guest_port *guest, uint64_t address, const void *from, size_t size,
		 struct sc_refusal *why);

/* 8-byte aligned, not initialised; NULL and -SC_REFUSED_SPACE in *why if the arena is too small. */
void *sc_arena_take(struct sc_arena *arena, uint64_t size, struct sc_refusal *why);

#endif
