/* SPDX-License-Identifier: BSD-2-Clause */
/* Kernel address space: see the header. */
#include "space.h"
#include "memory.h"
#include "refusal.h"

#define SCTLR_M (1ull << 0)
#define SCTLR_EE (1ull << 25)
#define TCR_EPD1 (1ull << 23)
#define TCR_DS (1ull << 59)
#define LAST_LEVEL 3
#define GRANULE_64K 16u

/* Linux offers 36 (16 KiB), 39, 42, 47, 48 and 52 bits; what lies between is taken as well. */
#define VA_BITS_MIN 36u
#define VA_BITS_MAX 52u

static uint64_t bits(uint64_t value, uint32_t high, uint32_t low)
{
	return value & (~0ull >> (63 - high)) & (~0ull << low);
}

/* TCR_EL1.TG1 as bits of a granule; 0 for what is reserved. */
static uint32_t granule_of(uint64_t tcr)
{
	static const uint8_t granule[] = { 0, 14, 12, GRANULE_64K };

	return granule[tcr >> 30 & 3];
}

/* TCR_EL1.IPS as bits of an address; 0 for what is reserved. */
static uint32_t output_of(uint64_t tcr)
{
	static const uint8_t output[] = { 32, 36, 40, 42, 44, 48, 52, 0 };

	return output[tcr >> 32 & 7];
}

/* Bits of an address that a table of one page resolves. */
static uint32_t stride_of(const struct sc_space *space)
{
	return space->granule_bits - 3;
}

/* The level of the first table: 3 has pages only, -1 exists with five levels. */
static int first_level(const struct sc_space *space)
{
	uint32_t stride = stride_of(space);

	return LAST_LEVEL + 1 - (int)((space->va_bits - space->granule_bits + stride - 1) / stride);
}

static uint32_t shift_of(const struct sc_space *space, int level)
{
	return space->granule_bits + stride_of(space) * (uint32_t)(LAST_LEVEL - level);
}

/* The address in TTBR1_EL1, which is aligned to the size of the first table. */
static uint64_t first_table(const struct sc_space *space, uint64_t ttbr)
{
	uint32_t align_bits = space->va_bits - shift_of(space, first_level(space)) + 3;

	if (!space->wide)
		return bits(ttbr, 47, align_bits);
	return bits(ttbr, 47, align_bits > 6 ? align_bits : 6) | bits(ttbr, 5, 2) << 46;
}

int sc_space_open(struct sc_space *space, const struct sc_guest_port *guest, const struct sc_vcpu_tables *tables,
		  struct sc_refusal *why)
{
	bool large;

	*space = (struct sc_space){ .guest = guest,
				    .granule_bits = granule_of(tables->tcr),
				    .va_bits = 64 - (uint32_t)(tables->tcr >> 16 & 0x3f),
				    .pa_bits = output_of(tables->tcr) };
	if (tables->sctlr & SCTLR_EE)
		return refusal_set(why, SC_REFUSED_UNKNOWN, "the vCPU is big-endian", NULL, NULL);
	if (!(tables->sctlr & SCTLR_M) || tables->tcr & TCR_EPD1)
		return refusal_set(why, SC_REFUSED_UNKNOWN, "the vCPU translates no kernel addresses", NULL, NULL);
	if (!space->granule_bits || !space->pa_bits)
		return refusal_hex(why, SC_REFUSED_UNKNOWN, "TCR_EL1 has a reserved value, 0x", tables->tcr, NULL);
	/* 64 KiB granules have 52 bits by FEAT_LPA and FEAT_LVA, the others by FEAT_LPA2, which DS switches on. */
	large = space->granule_bits == GRANULE_64K || tables->tcr & TCR_DS;
	space->wide = space->granule_bits == GRANULE_64K ? space->pa_bits == 52 : large;
	if (!large && space->pa_bits > 48)
		space->pa_bits = 48;
	if (space->va_bits < VA_BITS_MIN || space->va_bits > (large ? VA_BITS_MAX : 48))
		return refusal_hex(why, SC_REFUSED_UNKNOWN,
				   "TCR_EL1 has kernel addresses of less or more bits than are taken, 0x", tables->tcr,
				   NULL);
	space->table = first_table(space, tables->ttbr1);
	if (space->table >> space->pa_bits)
		return refusal_hex(why, SC_REFUSED_UNKNOWN, "TTBR1_EL1 leads beyond the physical addresses, 0x",
				   tables->ttbr1, NULL);
	return 0;
}

/* The address in a descriptor, of a table or of what is `shift` bits large. */
static uint64_t output_address(const struct sc_space *space, uint64_t descriptor, uint32_t shift)
{
	uint64_t address = bits(descriptor, 47, shift);

	if (!space->wide)
		return address;
	if (space->granule_bits == GRANULE_64K)
		return address | bits(descriptor, 15, 12) << 36;
	return address | bits(descriptor, 49, 48) | bits(descriptor, 9, 8) << 42;
}

/* Blocks exist from this level on: of 1 GiB, 32 MiB and 512 MiB, with addresses of 52 bits one level earlier. */
static int block_level(const struct sc_space *space)
{
	return (space->granule_bits == 12 ? 1 : 2) - (space->wide ? 1 : 0);
}

static bool is_leaf(const struct sc_space *space, uint64_t descriptor, int level)
{
	return level == LAST_LEVEL ? descriptor & 2 : !(descriptor & 2) && level >= block_level(space);
}

/* One step: reads the descriptor for `va` in *table. True in *leaf at the end; else *table is the next one. */
static int step(const struct sc_space *space, uint64_t va, int level, uint64_t *table, bool *leaf,
		struct sc_refusal *why)
{
	uint32_t shift = shift_of(space, level);
	uint32_t top = level == first_level(space) ? space->va_bits : shift + stride_of(space);
	uint64_t descriptor, address;
	int err = sc_ram_read(space->guest, *table + (bits(va, top - 1, shift) >> shift) * 8, &descriptor,
			      sizeof(descriptor), why);

	if (err)
		return err;
	*leaf = is_leaf(space, descriptor, level);
	if (!(descriptor & 1) || (!*leaf && (level == LAST_LEVEL || !(descriptor & 2))))
		return refusal_hex(why, SC_REFUSED_MEMORY, "kernel address 0x", va, " is not mapped");
	address = output_address(space, descriptor, *leaf ? shift : space->granule_bits);
	if (address >> space->pa_bits)
		return refusal_hex(why, SC_REFUSED_MEMORY, "kernel address 0x", va,
				   " leads beyond the physical addresses");
	*table = address;
	return 0;
}

static int walk(struct sc_space *space, uint64_t va, struct sc_refusal *why)
{
	uint64_t table = space->table;
	bool leaf = false;

	if (~va >> space->va_bits)
		return refusal_hex(why, SC_REFUSED_MEMORY, "0x", va, " is not a kernel address");
	for (int level = first_level(space); !leaf && level <= LAST_LEVEL; level++) {
		int err = step(space, va, level, &table, &leaf, why);

		if (err)
			return err;
		space->leaf_size = leaf ? 1ull << shift_of(space, level) : 0;
	}
	space->leaf_va = va & ~(space->leaf_size - 1);
	space->leaf_pa = table;
	return 0;
}

int sc_space_translate(struct sc_space *space, uint64_t va, uint64_t *pa, uint64_t *left, struct sc_refusal *why)
{
	uint64_t offset = va - space->leaf_va;

	/* With a size of 0 nothing is in it. */
	if (offset >= space->leaf_size) {
		int err = walk(space, va, why);

		if (err) {
			space->leaf_size = 0;
			return err;
		}
		offset = va - space->leaf_va;
	}
	*pa = space->leaf_pa + offset;
	*left = space->leaf_size - offset;
	return 0;
}

int sc_space_read(struct sc_space *space, uint64_t va, void *to, size_t size, struct sc_refusal *why)
{
	uint8_t *at = to;

	while (size > 0) {
		uint64_t pa, left;
		int err = sc_space_translate(space, va, &pa, &left, why);

		if (err)
			return err;
		if (left > size)
			left = size;
		err = sc_ram_read(space->guest, pa, at, (size_t)left, why);
		if (err)
			return err;
		va += left;
		at += left;
		size -= (size_t)left;
	}
	return 0;
}
