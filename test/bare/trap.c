/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Exceptions: an HVC on a machine without hypervisor calls is answered as the SMC Calling Convention would, with -1;
 * all else is a bug of the guest or of the machine, and the verdict.
 */
#include "bare.h"

#define ESR_CLASS_SHIFT 26
#define ESR_CLASS_UNKNOWN 0u
#define HVC_MASK 0xffe0001fu
#define HVC 0xd4000002u

uint32_t trap_unknown_calls;

static uint64_t esr_read(void)
{
	uint64_t esr;

	__asm__("mrs %0, esr_el1" : "=r"(esr));
	return esr;
}

void trap_unexpected(struct frame *frame)
{
	uint64_t far;

	__asm__("mrs %0, far_el1" : "=r"(far));
	print("\nexception: esr=%x elr=%x far=%x\n", esr_read(), frame->elr, far);
	verdict(false, "an exception that nobody expected");
}

void trap_synchronous(struct frame *frame)
{
	if (esr_read() >> ESR_CLASS_SHIFT != ESR_CLASS_UNKNOWN || (*(const uint32_t *)frame->elr & HVC_MASK) != HVC)
		trap_unexpected(frame);
	trap_unknown_calls++;
	frame->x[0] = UINT64_MAX;
	frame->elr += 4;
}
