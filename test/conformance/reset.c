/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What everything is at the start of the machine.
 *
 * Policy: these cases run first, before anything was written, and in this order. Firmware that has used the interface
 * before the suite must have put it back, as at the end of any guest.
 */
#include "conformance.h"

static const struct conformance_case cases[] = {
	{ .name = "reset.os-id",
	  .clause = "TLFS vp-registers",
	  .expects = "GuestOsId is 0",
	  .untouched = true,
	  STEPS(GET(SC_REG_GUEST_OS_ID, 0)) },
	{ .name = "reset.page",
	  .clause = "TLFS reference TSC page",
	  .expects = "there is no page",
	  .needs = NEED_PAGE,
	  .untouched = true,
	  STEPS(SET(SC_REG_GUEST_OS_ID, OS_ID), GET(SC_REG_REFERENCE_TSC, 0)) },
	{ .name = "reset.timers",
	  .clause = "TLFS synthetic timers",
	  .expects = "all four timers are 0",
	  .needs = NEED_DIRECT,
	  .untouched = true,
	  STEPS(SET(SC_REG_GUEST_OS_ID, OS_ID), GET(CONFIG(0), 0), GET(COUNT(0), 0), GET(CONFIG(1), 0),
		GET(COUNT(1), 0), GET(CONFIG(2), 0), GET(COUNT(2), 0), GET(CONFIG(3), 0), GET(COUNT(3), 0)) },
	{ .name = "reset.sints",
	  .clause = "TLFS synic",
	  .expects = "every SINT is masked",
	  .needs = NEED_SYNIC,
	  .untouched = true,
	  STEPS(SET(SC_REG_GUEST_OS_ID, OS_ID), GET(SINT(0), SC_SINT_RESET), GET(SINT(1), SC_SINT_RESET),
		GET(SINT(2), SC_SINT_RESET), GET(SINT(3), SC_SINT_RESET), GET(SINT(4), SC_SINT_RESET),
		GET(SINT(5), SC_SINT_RESET), GET(SINT(6), SC_SINT_RESET), GET(SINT(7), SC_SINT_RESET),
		GET(SINT(8), SC_SINT_RESET), GET(SINT(9), SC_SINT_RESET), GET(SINT(10), SC_SINT_RESET),
		GET(SINT(11), SC_SINT_RESET), GET(SINT(12), SC_SINT_RESET), GET(SINT(13), SC_SINT_RESET),
		GET(SINT(14), SC_SINT_RESET), GET(SINT(15), SC_SINT_RESET)) },
	{ .name = "reset.synic",
	  .clause = "TLFS synic",
	  .expects = "SCONTROL and SIMP are 0",
	  .needs = NEED_SYNIC,
	  .untouched = true,
	  STEPS(SET(SC_REG_GUEST_OS_ID, OS_ID), GET(SC_REG_SCONTROL, 0), GET(SC_REG_SIMP, 0)) },
	{ .name = "reset.guest-clock",
	  .clause = "doc/abi.md",
	  .expects = "the guest has declared nothing",
	  .needs = NEED_SEACLOCK,
	  .untouched = true,
	  STEPS(SET(SC_REG_GUEST_OS_ID, OS_ID), GET(SC_REG_GUEST_CLOCK, 0)) },
	{ .name = "reset.sints-other",
	  .clause = "TLFS synic",
	  .expects = "the same on the second vCPU",
	  .needs = NEED_SYNIC | NEED_VCPUS,
	  .other_vcpu = true,
	  .untouched = true,
	  STEPS(SET(SC_REG_GUEST_OS_ID, OS_ID), GET(SINT(0), SC_SINT_RESET), GET(SINT(15), SC_SINT_RESET),
		GET(SC_REG_SCONTROL, 0), GET(SC_REG_SIMP, 0)) },
};

const struct conformance_table conformance_reset = TABLE(cases);
