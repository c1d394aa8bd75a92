/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The order in which a disk is written: which block write number n goes to, and so what each block must hold once all
 * writes up to some number are durable. Pure, so that the tests on the build machine can try it.
 *
 * Policy: writes are numbered from 1, and each block is written once in as many writes as there are blocks, in an order
 * that looks like chance. Neighbours come in groups, so that the kernel makes larger requests of some. A block holds
 * probe_pattern.h's page, whose generation is the number of the write: lost, doubled, late and misplaced writes show.
 */
#ifndef TEST_GUEST_DISKS_ORDER_H
#define TEST_GUEST_DISKS_ORDER_H

#include <stdbool.h>
#include <stdint.h>

#define ORDER_BLOCK_SIZE 4096u
#define ORDER_GROUP 8u /* blocks that are written one after the other */
#define ORDER_BLOCKS_MIN 256u
#define ORDER_BLOCKS_MAX (1u << 24)
#define ORDER_DISKS_MAX 256u

/* How many blocks of a disk of so many bytes are used: a power of two; 0: it is too small. */
uint64_t order_blocks(uint64_t bytes);

/* The block of write number `sequence`, from 1. */
uint64_t order_block(uint64_t sequence, uint64_t blocks);

/* The last write to this block among the first `sequence`; 0 if there was none. */
uint64_t order_latest(uint64_t block, uint64_t sequence, uint64_t blocks);

/* The content of a block of disk number `disk`: after write number `sequence`. */
void order_fill(uint64_t *words, unsigned int disk, uint64_t block, uint64_t sequence);

/* Finds the write that the content is of, 0 for a block of zeroes. False if it is of none to this block. */
bool order_read(const uint64_t *words, unsigned int disk, uint64_t block, uint64_t blocks, uint64_t *sequence);

#endif
