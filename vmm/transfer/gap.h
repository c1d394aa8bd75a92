/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The gap: the time between a guest's stop and the start of its clock on another host, and what is believed of it.
 *
 * Policy: pure. The gap is computed from numbers of a peer or a file, and under SC_CLOCK_ADVANCE the guest's clocks
 * count it. So it is held against what this host has seen for itself, and against what its operator allows.
 */
#ifndef VMM_TRANSFER_GAP_H
#define VMM_TRANSFER_GAP_H

#include "base/error.h"

#include <seaclock/core.h>

#include <stdbool.h>

/* What a migration is allowed unless the operator says otherwise: no source gives itself longer from stop to READY. */
#define GAP_DEFAULT_S 10u
/* The most that an operator can allow: 31 years. */
#define GAP_MAX_S 1000000000u

/* By how much the gap may be longer than the guest was seen to stand still: the largest --max-step. */
#define GAP_SLACK_NS 1000000000u

/* False if the guest has stood still for `stood` at most by this host's own clock, and the gap says otherwise. */
bool gap_is_possible(sc_ns_t gap, sc_ns_t stood);

/*
 * -ETIME and a sentence if the clocks of the guest `name` are to count more than max_s seconds. Under SC_CLOCK_FREEZE
 * they count nothing, and any gap will do.
 */
int gap_check(const char *name, sc_ns_t gap, enum sc_clock_policy policy, uint32_t max_s, struct error *error);

#endif
