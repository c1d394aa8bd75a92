/* SPDX-License-Identifier: BSD-2-Clause */
/* Network devices on the command line: what --net takes. Policy: as that of --disk (command/disk.h). */
#ifndef VMM_COMMAND_NET_H
#define VMM_COMMAND_NET_H

#include "machine/config.h"

/* PLUG[,mac=ADDRESS]; a plug's text has no comma. -EINVAL. */
int net_parse(const char *text, struct config_net *net, struct error *error);

/* N=PLUG: the number of a network device, and where that is plugged in on this host. -EINVAL. */
int net_parse_place(const char *text, uint32_t *number, char where[CONFIG_PLUG_SIZE], struct error *error);

#endif
