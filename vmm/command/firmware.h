/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Firmware on the command line: what --firmware takes.
 *
 * Policy: paths are made absolute, since the machine's description outlives the working folder. A comma in a path is
 * written twice.
 */
#ifndef VMM_COMMAND_FIRMWARE_H
#define VMM_COMMAND_FIRMWARE_H

#include "machine/config.h"

/* Where Debian's package qemu-efi-aarch64 has it. */
#define FIRMWARE_DEFAULT "/usr/share/AAVMF/AAVMF_CODE.fd"

/* [CODE][,VARS]: what is left out is "". -EINVAL, -ENAMETOOLONG. */
int firmware_parse(const char *text, char code[CONFIG_PATH_SIZE], char variables[CONFIG_PATH_SIZE],
		   struct error *error);

/* The same for a machine that is described here: code that is left out is the description's, or FIRMWARE_DEFAULT. */
int firmware_describe(const char *text, struct machine_config *config, struct error *error);

#endif
