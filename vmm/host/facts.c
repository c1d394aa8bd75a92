/* SPDX-License-Identifier: BSD-2-Clause */
/* What a host is: the names of what its KVM can do. */
#include "host/facts.h"

const char *facts_capability_name(uint32_t n)
{
	static const char *const names[FACTS_CAPABILITIES] = {
		[FACTS_COUNTER_OFFSET] = "counter_offset",
		[FACTS_WRITABLE_MASKS] = "writable_masks",
		[FACTS_WRITABLE_MIDR] = "writable_midr",
		[FACTS_ADDRESS_BITS] = "address_bits",
		[FACTS_STOLEN_TIME] = "stolen_time",
		[FACTS_EL1_32BIT] = "el1_32bit",
		[FACTS_PMU] = "pmu",
		[FACTS_SVE] = "sve",
		[FACTS_POINTER_AUTHENTICATION] = "pointer_authentication",
		[FACTS_MTE] = "mte",
		[FACTS_PTP] = "ptp",
		[FACTS_SYSTEM_SUSPEND] = "system_suspend",
		[FACTS_NESTED] = "nested",
	};

	return n < FACTS_CAPABILITIES ? names[n] : NULL;
}
