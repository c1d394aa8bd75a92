/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A boot loader's count-down: reference time from the register, no page, no interrupts, nothing to undo before the next
 * program starts.
 *
 * Policy: one of the programs of doc/guest-library.md, which shows this file as it is.
 */
#include "bare.h"

#include <seaclock/guest.h>

#define TENTH 1000000u /* of a second, in units of 100 ns */
#define TENTHS 5u

/* One exit each: a loader that waits for a key has the time. */
static bool wait_until(const struct sc_guest *guest, uint64_t end)
{
	sc_ref_t now;

	do {
		if (sc_guest_now(guest, &now))
			return false;
	} while (now.v < end);
	return true;
}

bool guest_main(void)
{
	struct sc_guest guest;
	sc_ref_t start;

	/* Firmware passes the RSDP; without one the library asks the hypervisor. HVC #1 is what firmware uses. */
	if (sc_guest_detect(&guest, SC_GUEST_HVC1, machine.rsdp)) {
		print("no reference clock: use the architectural counter\n");
		return false;
	}
	/* TimeRefCount needs no GuestOsId: the kernel that is started will say what it is. */
	if (sc_guest_now(&guest, &start))
		return false;
	for (uint64_t tenth = 1; tenth <= TENTHS; tenth++) {
		if (!wait_until(&guest, start.v + tenth * TENTH))
			return false;
		print("booting in %u ms\n", (TENTHS - tenth) * 100);
	}
	return true;
}
