/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Kernel address space: stage 1 translation of the upper half, by TTBR1_EL1.
 *
 * Policy: addresses are found as the architecture finds them (Arm ARM DDI 0487, D8.2 to D8.4): granules of 4, 16 and
 * 64 KiB, addresses of up to 52 bits (FEAT_LPA, FEAT_LPA2), descriptors of 64 bits. What is not mapped, or lies beyond
 * TCR_EL1.IPS, is refused; permissions and the access flag are not looked at, nor what the processor itself can do. A
 * walk has at most five steps, so tables that form a circle end like all others.
 */
#ifndef REPAIR_SPACE_H
#define REPAIR_SPACE_H

#include <seaclock/repair.h>

/* -SC_REFUSED_UNKNOWN if the registers have reserved values, other sizes, or translate no kernel addresses. */
int sc_space_open(struct sc_space *space, const struct sc_guest_port *guest, const struct sc_vcpu_tables *tables,
		  struct sc_refusal *why);

/* The physical address of `va`, and how many bytes from there on are contiguous. -SC_REFUSED_MEMORY. */
int sc_space_translate(struct sc_space *space, uint64_t va, uint64_t *pa, uint64_t *left, struct sc_refusal *why);

/* Copies from kernel addresses. -SC_REFUSED_MEMORY. */
int sc_space_read(struct sc_space *space, uint64_t va, void *to, size_t size, struct sc_refusal *why);

#endif
