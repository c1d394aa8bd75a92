/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * What the guest is asked before it is moved, and the call in which it waits meanwhile (doc/abi.md, prepare and hold).
 *
 * Policy: no time limits here; whoever asks gives up by asking nothing or by ending the hold. A hold is answered
 * exactly once: where it was made, or where its record was loaded.
 */
#include "hold.h"

bool sc_hold_ask(struct sc_partition *partition, uint64_t asked)
{
	bool is_new = partition->asked != asked;

	partition->asked = asked;
	return is_new;
}

bool sc_hold_begin(struct sc_partition *partition, uint32_t vp, struct sc_register_value *value)
{
	if (partition->asked == SC_ASK_HOLD && !partition->held) {
		partition->held = true;
		partition->holder = vp;
		return true;
	}
	*value = (struct sc_register_value){ partition->clock.hz, SC_HOLD_CALLED_OFF };
	return false;
}

bool sc_hold_end(struct sc_partition *partition, uint64_t outcome, struct sc_hold_answer *answer)
{
	partition->asked = SC_ASK_NOTHING;
	if (!partition->held)
		return false;
	partition->held = false;
	answer->vp = partition->holder;
	answer->result = 1ull << SC_RESULT_REPS_SHIFT;
	answer->value[0] = partition->clock.hz;
	answer->value[1] = outcome;
	return true;
}
