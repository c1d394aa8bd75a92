/* SPDX-License-Identifier: BSD-2-Clause */
/* Where the devices of a machine are: see the header. */
#include "machine/places.h"

#include "dev/disk/where.h"
#include "dev/net/plug.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

/* What several may read, one may not write meanwhile; a server decides about that by itself. */
static bool disks_collide(const struct config_disk *one, const struct config_disk *other)
{
	return !strcmp(one->where, other->where) && !(one->readonly && other->readonly) && !where_is_uri(one->where);
}

/* Each `passt` without a path is one of its own. */
static bool nets_collide(const struct config_net *one, const struct config_net *other)
{
	struct plug plug;

	return !strcmp(one->where, other->where) && plug_parse(one->where, &plug) && plug.kind != PLUG_PASST;
}

int places_check(const struct machine_config *config, struct error *error)
{
	for (uint32_t n = 1; n < config->disks; n++)
		for (uint32_t other = 0; other < n; other++)
			if (disks_collide(&config->disk[other], &config->disk[n]))
				return error_set(error, EINVAL,
						 "disks %" PRIu32 " and %" PRIu32
						 " are the same, %s: name it once, or make both readonly",
						 other, n, config->disk[n].where);
	for (uint32_t n = 1; n < config->nets; n++)
		for (uint32_t other = 0; other < n; other++)
			if (nets_collide(&config->net[other], &config->net[n]))
				return error_set(error, EINVAL,
						 "network devices %" PRIu32 " and %" PRIu32
						 " are at the same place, %s: give each its own",
						 other, n, config->net[n].where);
	return 0;
}
