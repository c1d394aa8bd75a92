/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Everything of a machine that is not memory, as sections: handoff, clock, vCPUs, interrupt controller, devices.
 *
 * Policy: the order of the sections means nothing. The clock is loaded first, because it says how the timers in the
 * vCPUs' registers move. A section that is not known is refused unless it is marked as optional, and one of a newer
 * version always. All vCPUs are held, on both sides.
 */
#ifndef VMM_MACHINE_STATE_H
#define VMM_MACHINE_STATE_H

#include "machine/machine.h"

/* Time stands still, and the devices are quiesced. */
int state_save(struct machine *machine, const struct clock_handoff *handoff, struct buffer *state, struct error *error);
/* What tells a reader that the guest is to be repaired: one that cannot do that refuses the state, or a trial of it. */
void state_put_repair(struct buffer *state);

/* *gap: the time between the stop on the source and the clock's start here. -EPROTO; -ENOTSUP for a newer version's. */
int state_load(struct machine *machine, const void *data, size_t size, sc_ns_t *gap, struct error *error);

/* The handoff that the state was saved with; and loading the state with another. */
int state_handoff(const void *data, size_t size, struct clock_handoff *handoff, struct error *error);
int state_load_with(struct machine *machine, const void *data, size_t size, const struct clock_handoff *handoff,
		    sc_ns_t *gap, struct error *error);

/*
 * To find out beforehand whether the target takes the state: the registers, the interrupt controller's among them, what
 * the devices demand, and the other sections without content, as their versions are part of the answer.
 */
int state_save_trial(struct machine *machine, struct buffer *state, struct error *error);
int state_try(struct machine *machine, const void *data, size_t size, struct error *error);

#endif
