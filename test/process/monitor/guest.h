/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The guests of the process tests: scripts, chosen by words of the kernel's command line.
 *
 *     guest=idle         does nothing
 *     guest=printing     has no driver: its clock is the raw counter
 *     guest=reference    has a driver with its clock on the page and a direct timer
 *     guest=undeclared   the same, but declares nothing
 *     guest=cooperative  has a driver that uses the raw counter, prepares and holds
 *     guest=stubborn     the same, but does not prepare
 *     guest=restless     the same, prepares, but does not hold
 *     guest=reading      as printing, and shows what it reads from its UART, from line reads_from=N (0) on
 *
 * All but the idle one print a line again and again, and each time write their memory and check it:
 *
 *     line N ref R       R: reference time, units of 100 ns
 *     bad memory N       it is not as line N left it
 *     declared C         the register of the guest's clock was written: page, or raw HZ
 *     held O             a hold has ended: moved, or called off
 *     key C              the character C came
 *
 * Further words: every_ms=N between two lines (10; 0: without pause), end=off|reset|panic|unknown|escape after lines=N
 * (3). A guest that escapes makes a system call of its own in the thread of its vCPU, and then ends as unknown.
 *
 * Policy: all that a guest knows is in its memory and registers, so it goes on where it is moved or restored to. It
 * looks at nothing that a guest could not see. An exit counts as taken when the PC has passed it.
 */
#ifndef PROCESS_MONITOR_GUEST_H
#define PROCESS_MONITOR_GUEST_H

#include "../../fake/host_fake.h"

/* A fake_guest_fn: vCPU 0 does all of it. */
void guest_run(struct fake_vcpu *vcpu, void *context);

#endif
