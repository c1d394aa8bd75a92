/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Deadlines: what a vCPU's timers are set to at another rate, and whether they are set to what the kernel wants.
 *
 * Policy: pure arithmetic. An event stream is set as Linux sets it, for 10 kHz. Sources: Arm ARM DDI 0487, D12.2 and
 * CNTKCTL_EL1; Linux 6.12, drivers/clocksource/arm_arch_timer.c.
 */
#ifndef REPAIR_DEADLINE_H
#define REPAIR_DEADLINE_H

#include <seaclock/repair.h>

/* The timers after the change. */
void sc_deadline_move(const struct sc_vcpu_timers *from, const struct sc_rate_change *change,
		      struct sc_vcpu_timers *to);

/*
 * Whether the virtual timer is on and its deadline, at this count, is later than an event in so many ns by more than
 * what NTP and rounding, or a vCPU that waits for its turn, make of it: then the kernel was about to set it. An earlier
 * one does no harm: when it has fired, the kernel sees that it was too early, and sets it again.
 */
bool sc_deadline_is_late(const struct sc_vcpu_timers *timers, uint64_t count, uint32_t hz, int64_t event_ns);

#endif
