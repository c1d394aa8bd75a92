/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * VMClock by Linux's own driver (drivers/ptp/ptp_vmclock.c): its PTP clock, and /dev/vmclock0, which is the page.
 *
 * Policy: both are held against ptp_kvm, which tells the host's clock; all that is compared is told at one value of the
 * counter. The PTP clock is TAI, the page UTC.
 */
#ifndef TEST_GUEST_VMCLOCK_DRIVER_H
#define TEST_GUEST_VMCLOCK_DRIVER_H

/*
 * Prints a line for each of that many updates of the page, as the device's notifications tell of them: "@driver ...",
 *   marker, generation, status, tai, hz  what the page says; hz by the period
 *   maxerror  in ns; -1: not valid
 *   waited_ms  for the notification
 *   idle    1 if, when the page had been read, there was no news
 *   same    1 if reading the device gives what mapping it shows
 *   precise, extended  the PTP clock by PTP_SYS_OFFSET_PRECISE and _EXTENDED as UTC, minus the host's clock, in ns
 *   width   between the two readings of the system's clock in the latter, in ns
 * Returns the program's exit status.
 */
int vmclock_driver_compare(long times);

/* Prints "@disruption marker=N generation=N" whenever the marker has changed. Returns on an error, with 1. */
int vmclock_driver_watch(void);

#endif
