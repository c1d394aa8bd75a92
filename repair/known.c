/* SPDX-License-Identifier: BSD-2-Clause */
/* Known layouts: see the header. The rows are written by `make kernels`, one a build. */
#include "known.h"

static const struct {
	struct sc_series series;
	uint64_t fingerprint;
	const char *build;
} known[] = {
	{ { 6, 12 }, 0x5385e48910d856b6, "6.12.117+deb12-arm64" },
	{ { 6, 12 }, 0x5385e48910d856b6, "6.12.117+deb12-cloud-arm64" },
	{ { 6, 12 }, 0x5385e48910d856b6, "6.12.117+deb13-arm64" },
	{ { 6, 12 }, 0x5385e48910d856b6, "6.12.117+deb13-arm64-16k" },
	{ { 6, 12 }, 0x5385e48910d856b6, "6.12.117+deb13-cloud-arm64" },
};

const char *sc_known_build(const struct sc_series *series, uint64_t fingerprint)
{
	for (uint32_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (known[i].series.major == series->major && known[i].series.minor == series->minor &&
		    known[i].fingerprint == fingerprint)
			return known[i].build;
	return NULL;
}
