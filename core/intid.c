/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Interrupts that timers and SINTs may name.
 *
 * Policy: private peripheral interrupts only, and none that the hypervisor's own devices drive: an edge there would be
 * lost without a trace.
 */
#include "intid.h"

/* INTIDs that KVM drives itself: maintenance interrupt and the architectural timers. */
#define INTIDS_OWNED (1u << 25 | 1u << 26 | 1u << 27 | 1u << 28 | 1u << 30)

const char *sc_intid_refused(uint32_t intid)
{
	if (intid < SC_PPI_FIRST || intid > SC_PPI_LAST)
		return "the INTID is not a private peripheral interrupt (16 to 31)";
	if (1u << intid & INTIDS_OWNED)
		return "the INTID belongs to the architectural timers or the interrupt controller";
	return NULL;
}
