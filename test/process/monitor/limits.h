/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The time limits of a migration in the program under test: those of the monitor, until a test asks for others, and
 * less effort to compare clocks.
 *
 * Policy: takes the place of vmm/transfer/limits.c, under the same symbol, because a limit of 30 s cannot be waited
 * for.
 */
#ifndef PROCESS_MONITOR_LIMITS_H
#define PROCESS_MONITOR_LIMITS_H

#include "transfer/limits.h"

extern struct handover_limits process_limits __asm__("handover_limits");

#endif
