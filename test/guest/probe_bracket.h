/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Holds clocks against the counter: how far each is ahead of the time that CNTVCT_EL0 shows.
 *
 * Policy: for a guest whose counter is truth, as it is where an emulator derives it from its own clock in whole
 * nanoseconds a tick. A clock is read between two readings of the counter, so the two differences are bounds, and the
 * closest of very many count.
 */
#ifndef TEST_GUEST_PROBE_BRACKET_H
#define TEST_GUEST_PROBE_BRACKET_H

/*
 * Starts the thread that prints two lines every `every_ms`: for clocks as the vDSO reads them, and as the kernel does,
 * with the stamps of its log. Level_start() opens the log as well: one of the two at a time.
 * Returns 0, or -errno.
 */
int bracket_start(unsigned int every_ms);

#endif
