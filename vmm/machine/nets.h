/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is behind the network devices of a machine, all of them at once: opened by the description.
 *
 * Policy: all or none. A sentence names the network device by its number, and by what the operator calls it. What a
 * guest was told once it keeps: its addresses, and how large its frames may be.
 */
#ifndef VMM_MACHINE_NETS_H
#define VMM_MACHINE_NETS_H

#include "dev/net/uplink.h"
#include "machine/config.h"

struct nets {
	struct uplink *uplink[CONFIG_NETS_MAX];
	uint32_t count;
};

/*
 * Opens those of the description, which lives as long as they do, and in which what is not known yet is filled in.
 * -errno as uplink_open(); -EINVAL if one carries smaller frames than its guest was told.
 */
int nets_open(struct nets *nets, struct machine_config *config, struct error *error);
void nets_close(struct nets *nets);

/*
 * Whether a network device that was plugged in at `from` may be at `to` on another host: 0, or -EINVAL and a sentence
 * if its guest uses what there is not there.
 */
int nets_check_replug(uint32_t n, const char *from, const char *to, struct error *error);

/* What a move of the machine ends, as a sentence; "" if it ends nothing. */
#define NETS_REMARK_MAX 160
void nets_remark(const struct machine_config *config, char text[NETS_REMARK_MAX]);

#endif
