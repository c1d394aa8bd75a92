/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Register hypercalls as a guest makes them, for tests: the fast form of one repetition.
 *
 * Policy: the register layout is written down here a second time, from doc/abi.md, so that an error of the monitor
 * shows.
 */
#ifndef FAKE_GUEST_CALL_H
#define FAKE_GUEST_CALL_H

#include "host_fake.h"

#define GUEST_OS_ID 0x8100000000000000ull
/* What a driver without prepare and hold declares. */
#define GUEST_CLOCK_ON_PAGE (SC_GUEST_CLOCK_ON_PAGE | SC_GUEST_CLOCK_REWRITES_TIMER | SC_GUEST_CLOCK_DECLARED)
#define GUEST_DIRECT(intid) (SC_STIMER_DIRECT | SC_STIMER_AUTO_ENABLE | (uint64_t)(intid) << SC_STIMER_INTID_SHIFT)

/* X0 to X7 of a SET; a GET leaves its value in X6 and X7. */
static inline struct fake_exit guest_exit(uint64_t control, uint32_t name, uint64_t value)
{
	return (struct fake_exit){
		.exit = { .kind = HOST_EXIT_HYPERCALL },
		.x = { SC_HVC_FUNCTION_ID, control, SC_PARTITION_ID_SELF, SC_VP_INDEX_SELF, name, 0, value, 0 },
	};
}

/* The vCPU, which runs, writes a register; the result word. */
static inline uint64_t guest_set(const struct host_vcpu *vcpu, uint32_t name, uint64_t value)
{
	struct fake_exit exit = guest_exit(SC_CALL_SET_ONE, name, value);

	fake_vcpu_script(vcpu, &exit);
	if (!fake_vcpu_wait(vcpu))
		fake_violation("the vCPU has not come back from a hypercall");
	return fake_vcpu_register(vcpu, FAKE_REGISTER_X0);
}

/* A guest whose driver is loaded: its clock on the page at `page`, its timer a direct one that it always rewrites. */
static inline void guest_load_driver(const struct host_vcpu *vcpu, uint64_t page)
{
	guest_set(vcpu, SC_REG_GUEST_OS_ID, GUEST_OS_ID);
	guest_set(vcpu, SC_REG_REFERENCE_TSC, page | SC_REFERENCE_TSC_ENABLE);
	guest_set(vcpu, SC_REG_STIMER0_CONFIG, GUEST_DIRECT(SC_STIMER0_INTID));
	guest_set(vcpu, SC_REG_GUEST_CLOCK, GUEST_CLOCK_ON_PAGE);
}

#endif
