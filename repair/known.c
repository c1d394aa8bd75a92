/* SPDX-License-Identifier: BSD-2-Clause */
/* Known layouts: see the header. The rows are written by `make kernels`, one a build. */
#include "known.h"

const struct known_row sc_known_rows[] = {
	{ { 6, 1 }, 0x1650177a54423f4c, "6.1.0-50-arm64" },
	{ { 6, 1 }, 0x31944fe0aee32150, "6.1.0-50-cloud-arm64" },
	{ { 6, 12 }, 0x5385e48910d856b6, "6.12.117+deb12-arm64" },
	{ { 6, 12 }, 0x5385e48910d856b6, "6.12.117+deb12-cloud-arm64" },
	{ { 6, 12 }, 0x5385e48910d856b6, "6.12.117+deb13-arm64" },
	{ { 6, 12 }, 0x5385e48910d856b6, "6.12.117+deb13-arm64-16k" },
	{ { 6, 12 }, 0x5385e48910d856b6, "6.12.117+deb13-cloud-arm64" },
	{ { 6, 12 }, 0x5385e48910d856b6, "6.12.118+deb12-arm64" },
	{ { 6, 12 }, 0x5385e48910d856b6, "6.12.118+deb12-cloud-arm64" },
	{ { 7, 3 }, 0x73e8e1deec1f35d0, "7.3.4+deb13-arm64" },
	{ { 7, 3 }, 0x73e8e1deec1f35d0, "7.3.4+deb13-arm64-16k" },
	{ { 7, 3 }, 0x73e8e1deec1f35d0, "7.3.4+deb13-cloud-arm64" },
};

const uint32_t sc_known_row_count = sizeof(sc_known_rows) / sizeof(sc_known_rows[0]);

const char *sc_known_build(const struct sc_series *series, uint64_t fingerprint)
{
	for (uint32_t i = 0; i < sc_known_row_count; i++) {
		const struct known_row *row = &sc_known_rows[i];

		if (row->series.major == series->major && row->series.minor == series->minor &&
		    row->fingerprint == fingerprint)
			return row->build;
	}
	return NULL;
}
