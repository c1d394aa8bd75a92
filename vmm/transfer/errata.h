/* SPDX-License-Identifier: BSD-2-Clause */
/* Errata of processors that bear on where a guest can move (doc/hardware.md): by what MIDR_EL1 says. Pure. */
#ifndef VMM_TRANSFER_ERRATA_H
#define VMM_TRANSFER_ERRATA_H

#include <stdint.h>

struct erratum {
	const char *name;
	const char *effect; /* what it means for a guest that moves, as one clause */
};

/* Number n of those that the processor has; NULL after the last. */
const struct erratum *errata_at(uint64_t midr, uint32_t n);

#endif
