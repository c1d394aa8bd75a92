/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The transparent level: a guest that does not follow a change of rate goes to another one all the same, because its
 * kernel is repaired (seaclock/repair.h, doc/transparent.md).
 *
 * Policy: only where the operator allows it, and only a guest that is at SC_LEVEL_NONE. Where the guest runs nothing is
 * written: that side finds the kernel before anything is paused, tries a plan, and stops the guest at an instant at
 * which one can be made. Whoever is to run it next finds the kernel for itself in what it was sent, plans for itself,
 * and writes before the guest has run there. What one of them refuses leaves the guest where it was.
 */
#ifndef VMM_TRANSFER_REPAIR_H
#define VMM_TRANSFER_REPAIR_H

#include "machine/kernel_port.h"
#include "machine/machine.h"
#include "transfer/admission.h"

struct repair {
	bool found;		 /* there is a kernel that is known, and the rest is set */
	struct kernel_port port; /* of which what follows refers, so that a repair stays where it is */
	struct sc_kernel kernel;
	sc_ns_t search; /* how long it took to find */
	struct sc_plan plan;
	uint8_t *arena;
	int verdict;	  /* of the last plan: 0; -EAGAIN: at another instant there might be one; -ENOTSUP; -errno */
	struct error why; /* the clause, unless it is 0 */
};

/* Whether the operator allows it: by the terms of this move, or by the machine's description. */
bool repair_is_allowed(const struct machine *machine, const struct admission_terms *terms);
/* Whether it is allowed to a guest that needs it to go to another rate. */
bool repair_is_due(const struct machine *machine, const struct admission_terms *terms, uint32_t from_hz, uint32_t to_hz,
		   const struct sc_follow *follow);

/*
 * Finds the kernel of a machine in any state, anew. 0; -ENOTSUP if it is not a known one, with the clause that says
 * why; -errno and a sentence.
 */
int repair_find(struct repair *repair, struct machine *machine, struct error *error);
/* Also of one that was never opened, and is all zero. */
void repair_close(struct repair *repair);

/*
 * Before a guest is paused: if it is due, whether it could be repaired; the guest stands still for a moment.
 * *follow is what was seen of it, and is at SC_LEVEL_TRANSPARENT then. 0 also if it is not due, or
 * refused and the terms are to do it all the same; -EPERM and the sentence.
 */
int repair_check(struct repair *repair, struct machine *machine, uint32_t to_hz, int limit_ms,
		 const struct admission_terms *terms, struct sc_follow *follow, struct error *error);

/*
 * Parks the vCPUs and stops guest time: at once, or, of a guest that runs and whose kernel was found, at an instant at
 * which it can be repaired. Until then it runs on for a millisecond each time, as long as the limit allows. When it was
 * last told to stop. What came of the last plan is in the repair; nothing is written.
 */
sc_ns_t repair_stop(struct repair *repair, struct machine *machine, uint32_t to_hz, int limit_ms);

/*
 * Once a guest that was to be repaired stands still, and for *follow as repair_check() has it: whether it can be. A
 * guest that follows by itself meanwhile need not be. -EPERM and the sentence.
 */
int repair_confirm(const struct repair *repair, uint32_t to_hz, struct sc_follow *follow, struct error *error);

/*
 * Repairs a guest that was loaded, and has not run here, for this host's rate. -EPERM and the sentence, and then
 * nothing of its memory was changed; or what KVM says.
 */
int repair_carry_out(struct repair *repair, struct error *error);

#endif
