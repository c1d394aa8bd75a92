/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Disks on the command line: what --disk takes.
 *
 * Policy: the whole text is judged, and nothing of it is left out in silence. A file's path is made absolute, since
 * the machine's description outlives the working folder.
 */
#ifndef VMM_COMMAND_DISK_H
#define VMM_COMMAND_DISK_H

#include "machine/config.h"

/* PATH|URI[,readonly][,serial=TEXT][,reconnect=SECONDS]; a comma in the path or URI is written twice. -EINVAL. */
int disk_parse(const char *text, struct config_disk *disk, struct error *error);

/* N=PATH|URI: the number of a disk, and where that is on this host; commas as they are. -EINVAL. */
int disk_parse_place(const char *text, uint32_t *number, char where[CONFIG_PATH_SIZE], struct error *error);

#endif
