/* SPDX-License-Identifier: BSD-2-Clause */
/* Known builds: see the header. The rows are written by `make kernels`, one a build. */
#include "builds.h"

#include <string.h>

static const struct build builds[] = {
	{ "338d20205ee321570ed1bbd998bf2e1a2b8aa92c",
	  "6.1.0-50-arm64",
	  {
		  0x1643000, 0x1641000, 0x119e4cc, 0x163733f, 0x1f95840, 0x1f95970, 0x1f95a88, 0x1d50040, 0x1d500c0,
		  0x1caeaec, 0x1ed6530, 0x1d530c0, 0x1ca5000, 0x1115588, 0x1cb8738, 0x1f64080, 0x17f8a00, 0x1fefcf0,
		  0x1cb3000, 0x1caeb20, 0x1cae888, 0x17f4310, 0x1f64100, 0x0cf3220, 0x1fefcc0, 0x1115598,
	  } },
	{ "aa1baf2841c8b47296c91289f85df12f6c8b8bf2",
	  "6.1.0-50-cloud-arm64",
	  {
		  0x136b000, 0x1369000, 0x0f5a1e0, 0x135ef8d, 0x1a217c0, 0x1a218f0, 0x1a21a08, 0x189fcc0, 0x189fd40,
		  0x17feae4, 0x197cb58, 0x18a2d40, 0x17f5000, 0x0ee1cf8, 0x1808638, 0x19f0080, 0x14ad978, 0x1a72088,
		  0x1802f68, 0x17feb10, 0x17fe888, 0x14a92d0, 0x19f0100, 0x0bc3228, 0x1a72058, 0x0ee1d08,
	  } },
};

const struct build *sc_build_of(const char *id)
{
	for (size_t i = 0; i < sizeof(builds) / sizeof(builds[0]); i++)
		if (!strcmp(builds[i].id, id))
			return &builds[i];
	return NULL;
}
