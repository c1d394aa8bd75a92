/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A machine's description out of a command line: by options, a file, or both.
 *
 * Policy: an option overrides what the file says, and --disk or --net its whole list. Without --kernel and --config
 * there is a file for the machine's name, in the folder that SEACLOCK_CONFIG_DIR names; with --kernel that is not read,
 * which a line tells if it is there. What comes out of it has been checked.
 */
#ifndef VMM_COMMAND_DESCRIBE_H
#define VMM_COMMAND_DESCRIBE_H

#include "command/option.h"
#include "machine/config.h"

/* What is not said is NULL, 0 or empty. */
struct describe_options {
	const char *config; /* a file */
	const char *kernel;
	const char *initrd;
	const char *append;
	const char *firmware; /* [CODE][,VARS] */
	const char *cpu;      /* "host" or a file */
	uint32_t vcpus;
	uint32_t memory_mib;
	struct option_list disk;
	struct option_list net;
	const char *on_reboot; /* words of config_action_parse() */
	const char *on_panic;
	bool repair;
};

/* -EINVAL, -ENAMETOOLONG: an option is wrong; -EBADMSG: the file is; -ENOENT and others: it cannot be read; -EINTR. */
int describe(const struct describe_options *options, const char *name, struct machine_config *config,
	     struct error *error);

#endif
