// SPDX-License-Identifier: GPL-2.0-only
/*
 * Register hypercalls, in the fast form: everything in processor registers, no memory.
 *
 * Policy: the kernel has functions for this, too, but they stop it with BUG() on any failing status. Here a failure is
 * a return value. Not traced, because reading a clock may come down to one of these calls.
 */
#include "seaclock.h"

#include <linux/arm-smccc.h>
#include <linux/errno.h>

int noinstr hypercall_get(u32 name, u64 *low, u64 *high)
{
	struct arm_smccc_1_2_regs call = {
		.a0 = SC_HVC_FUNCTION_ID,
		.a1 = SC_CALL_GET_ONE,
		.a2 = SC_PARTITION_ID_SELF,
		.a3 = SC_VP_INDEX_SELF,
		.a4 = name,
	};

	arm_smccc_1_2_hvc(&call, &call);
	if (call.a0 & SC_RESULT_STATUS_MASK)
		return -EIO;
	/* Input fills X2 to X4; output begins at the next pair of registers. */
	*low = call.a6;
	if (high)
		*high = call.a7;
	return 0;
}

int notrace hypercall_set(u32 name, u64 value)
{
	struct arm_smccc_res result;

	arm_smccc_1_1_hvc(SC_HVC_FUNCTION_ID, SC_CALL_SET_ONE, SC_PARTITION_ID_SELF, (u64)SC_VP_INDEX_SELF, (u64)name,
			  0ul, value, 0ul, &result);
	return result.a0 & SC_RESULT_STATUS_MASK ? -EIO : 0;
}
