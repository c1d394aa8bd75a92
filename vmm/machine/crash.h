/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a guest says of its own crash through Hyper-V's crash registers.
 *
 * Policy: the guest's text is data. It is printed line by line on standard error, with everything that is not printable
 * left out.
 */
#ifndef VMM_MACHINE_CRASH_H
#define VMM_MACHINE_CRASH_H

#include "machine/clock.h"

/*
 * Prints the crash registers and the tail of the kernel's log, if the guest left one; of a guest that crashes again and
 * again, as log_guest() counts in *count, not for ever.
 */
void crash_report(const char *name, struct clock *clock, const struct memory *memory, uint32_t *count);

#endif
