/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One register of the calling vCPU, read or written by a fast call.
 *
 * Policy: the register image that Linux has (HVC #0) and that firmware has (HVC #1), element by element.
 */
#include <seaclock/guest.h>

/* Where the output of GET is in the block: behind the input, rounded up to a pair; by HVC #1 at the end. */
#define OUTPUT_SMCCC 4u
#define OUTPUT_HVC1 (SC_GUEST_BLOCK - 2u)

/* A hypervisor that does not know the call returns -1, which is no status. */
static int status_of(uint64_t result)
{
	return result == UINT64_MAX ? -SC_GUEST_E_ABSENT : (int)(result & SC_RESULT_STATUS_MASK);
}

/* Element by element, and volatile, or the compiler would call a memset that there is not. */
static void block_fill(uint64_t block[SC_GUEST_BLOCK], uint32_t name, uint64_t value)
{
	volatile uint64_t *element = block;

	for (uint32_t i = 0; i < SC_GUEST_BLOCK; i++)
		element[i] = 0;
	element[0] = SC_PARTITION_ID_SELF;
	element[1] = SC_VP_INDEX_SELF;
	element[2] = name;
	element[4] = value;
}

int sc_guest_get_wide(const struct sc_guest *guest, uint32_t name, uint64_t value[2])
{
	uint32_t output = guest->convention == SC_GUEST_SMCCC ? OUTPUT_SMCCC : OUTPUT_HVC1;
	uint64_t block[SC_GUEST_BLOCK];
	int status;

	block_fill(block, name, 0);
	status = status_of(sc_guest_call(guest->convention, SC_CALL_GET_ONE, block));
	if (status)
		return status;
	value[0] = block[output];
	value[1] = block[output + 1];
	return 0;
}

int sc_guest_get(const struct sc_guest *guest, uint32_t name, uint64_t *value)
{
	uint64_t wide[2];
	int status = sc_guest_get_wide(guest, name, wide);

	if (!status)
		*value = wide[0];
	return status;
}

int sc_guest_set(const struct sc_guest *guest, uint32_t name, uint64_t value)
{
	uint64_t block[SC_GUEST_BLOCK];

	block_fill(block, name, value);
	return status_of(sc_guest_call(guest->convention, SC_CALL_SET_ONE, block));
}
