/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * PL031, the real-time clock of Arm: seconds since 1970 in 32 bits, with an alarm.
 *
 * Policy: a pure state machine, whose caller gives it the time of a clock that it runs with, drives the interrupt line
 * and holds the lock. It is enabled from power-on, as firmware would leave it, and a reset of the machine does not set
 * it: it is a clock with a battery. Source: PrimeCell Real Time Clock (PL031) Technical Reference Manual, Arm DDI 0224,
 * r1p3.
 */
#ifndef VMM_DEV_PL031_H
#define VMM_DEV_PL031_H

#include <stdbool.h>
#include <stdint.h>

struct pl031 {
	uint32_t offset; /* what it shows is the caller's clock and this, modulo 2^32 */
	uint32_t seen;	 /* what it showed last */
	uint32_t match;	 /* RTCMR */
	uint32_t load;	 /* RTCLR */
	bool mask;	 /* RTCIMSC: the interrupt is enabled */
	bool raw;	 /* RTCRIS */
};

/* At power-on; `now` in all of these is the caller's clock, in seconds. */
void pl031_init(struct pl031 *rtc, uint32_t now);
/* The machine's reset: the alarm is gone, the time stays. */
void pl031_reset(struct pl031 *rtc, uint32_t now);

/* Accesses to the register at `offset` of the region. What is not a register reads as 0 and ignores writes. */
uint32_t pl031_read(struct pl031 *rtc, uint32_t now, uint64_t offset);
void pl031_write(struct pl031 *rtc, uint32_t now, uint64_t offset, uint32_t value);

/* Raises the alarm if it was due since the last call; one that a clock set backwards passes again comes again. */
void pl031_advance(struct pl031 *rtc, uint32_t now);

/* Level of the interrupt line. */
bool pl031_irq(const struct pl031 *rtc);

#endif
