// SPDX-License-Identifier: BSD-2-Clause
/*
 * The order of writes. Policy: multiplication by an odd number permutes the groups, since there are 2^n of them.
 */
#include "disks_order.h"

#include "probe_pattern.h"

#define STRIDE 0x9e3779b1u
#define STRIDE_INVERSE 0x0e8b2f51u /* modulo 2^32 */
#define DISK_SHIFT 32

_Static_assert(ORDER_BLOCK_SIZE == PATTERN_PAGE_SIZE, "a block is a page of the pattern");

uint64_t order_blocks(uint64_t bytes)
{
	uint64_t blocks = ORDER_BLOCKS_MIN;

	if (bytes < ORDER_BLOCKS_MIN * ORDER_BLOCK_SIZE)
		return 0;
	while (blocks < ORDER_BLOCKS_MAX && 2 * blocks * ORDER_BLOCK_SIZE <= bytes)
		blocks *= 2;
	return blocks;
}

uint64_t order_block(uint64_t sequence, uint64_t blocks)
{
	uint64_t write = sequence - 1, groups = blocks / ORDER_GROUP;

	return (write / ORDER_GROUP * STRIDE & (groups - 1)) * ORDER_GROUP + write % ORDER_GROUP;
}

/* The first write to a block. */
static uint64_t order_first(uint64_t block, uint64_t blocks)
{
	uint64_t groups = blocks / ORDER_GROUP;

	return (block / ORDER_GROUP * STRIDE_INVERSE & (groups - 1)) * ORDER_GROUP + block % ORDER_GROUP + 1;
}

uint64_t order_latest(uint64_t block, uint64_t sequence, uint64_t blocks)
{
	uint64_t first = order_first(block, blocks);

	return sequence < first ? 0 : sequence - (sequence - first) % blocks;
}

static uint64_t page_of(unsigned int disk, uint64_t block)
{
	return (uint64_t)disk << DISK_SHIFT | block;
}

void order_fill(uint64_t *words, unsigned int disk, uint64_t block, uint64_t sequence)
{
	pattern_write(words, page_of(disk, block), sequence);
}

bool order_read(const uint64_t *words, unsigned int disk, uint64_t block, uint64_t blocks, uint64_t *sequence)
{
	uint64_t page = page_of(disk, block);

	*sequence = pattern_generation(words, page);
	return pattern_check(words, page, *sequence) == 0 &&
	       (*sequence == 0 || order_block(*sequence, blocks) == block);
}
