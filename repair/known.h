/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Known layouts: which fingerprints a series has, and of which build each was taken.
 *
 * Policy: the table is the whole of what is trusted. `make kernels` adds the rows of new builds; a row whose
 * fingerprint no earlier row has is added only by somebody who has read what has changed (doc/transparent.md).
 */
#ifndef REPAIR_KNOWN_H
#define REPAIR_KNOWN_H

#include <seaclock/repair.h>

struct known_row {
	struct sc_series series;
	uint64_t fingerprint;
	const char *build; /* its release */
};

extern const struct known_row sc_known_rows[];
extern const uint32_t sc_known_row_count;

/* The first build of the table with that fingerprint; NULL if it is not known. */
const char *sc_known_build(const struct sc_series *series, uint64_t fingerprint);

#endif
