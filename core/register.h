/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The registers behind HvCallGetVpRegisters and HvCallSetVpRegisters.
 *
 * Policy: internal to core/. A refused access changes nothing and says why.
 */
#ifndef CORE_REGISTER_H
#define CORE_REGISTER_H

#include "port.h"

struct sc_register_value {
	uint64_t low;
	uint64_t high;
};

/* One access: vCPU `caller` reads or writes register `name` of vCPU `target` at reference time now. */
struct sc_register_access {
	struct sc_partition *partition;
	uint32_t caller;
	uint32_t target;
	uint32_t name;
	bool alone; /* the only access of a fast call by HVC #0 */
	sc_ref_t now;
	uint32_t effects;    /* out: SC_EFFECT_*, added to what is there */
	const char *refused; /* out: why, one clause; left alone on success */
};

/* Both return an SC_HV_* status. */
uint64_t sc_register_get(struct sc_register_access *access, struct sc_register_value *value);
uint64_t sc_register_set(struct sc_register_access *access, uint64_t value);

#endif
