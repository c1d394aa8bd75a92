/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Register hypercalls: from a vCPU's registers and guest memory to the core, and back.
 *
 * Policy: only the registers that a call uses are read and written, for each costs a system call. Input is copied
 * before it is judged, so that the guest cannot change it meanwhile. KVM does not report the immediate of an HVC, so X0
 * alone tells which convention a call has.
 */
#ifndef VMM_MACHINE_HYPERCALL_H
#define VMM_MACHINE_HYPERCALL_H

#include "machine/clock.h"

/*
 * Answers the hypercall that made `vcpu` exit, with W0 as the exit gave it, and gives its SC_EFFECT_* set. -errno if
 * KVM fails us.
 */
int hypercall_handle(struct clock *clock, struct memory *memory, struct host_vcpu *vcpu, uint32_t w0,
		     uint32_t *effects);

/* Answers a call of a form that is not offered. */
int hypercall_refuse(struct host_vcpu *vcpu);

#endif
