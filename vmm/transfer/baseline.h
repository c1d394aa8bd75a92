/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The largest processor that all of some hosts can offer a machine.
 *
 * Policy: pure. Field by field, what all can offer is where their ranges meet (host/identity.h), so the order of the
 * hosts does not matter. Where there is nothing that all can offer, what most can counts, the lesser value if as many
 * can either, and whoever cannot is refused; the baseline is then that of the others.
 */
#ifndef VMM_TRANSFER_BASELINE_H
#define VMM_TRANSFER_BASELINE_H

#include "host/facts.h"

/* Why a host is not among those of the baseline: the first thing found. */
struct baseline_refusal {
	bool refused;
	bool missing; /* KVM has no such register there, and the others' have; */
	bool more;    /* or the other way round; neither: the field cannot be as most have it */
	uint64_t id;
	struct identity_field field;
	uint64_t has, needs; /* of the field */
};

/*
 * `level` gets the registers of which not all hosts that are left have the same value; `refusal` has an element for
 * each host. The number of hosts that are refused.
 */
uint32_t baseline_compute(const struct host_facts *hosts, uint32_t count, struct baseline_refusal *refusal,
			  struct identity *level);

#endif
