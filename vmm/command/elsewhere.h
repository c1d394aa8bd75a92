/* SPDX-License-Identifier: BSD-2-Clause */
/* What a machine that arrives has under another name on this host, out of a command line. */
#ifndef VMM_COMMAND_ELSEWHERE_H
#define VMM_COMMAND_ELSEWHERE_H

#include "command/option.h"
#include "transfer/arrival.h"

/* What is not said is NULL or empty. */
struct elsewhere_options {
	struct option_list disk; /* N=PATH|URI */
	struct option_list net;	 /* N=PLUG */
	const char *kernel;
	const char *initrd;
	const char *firmware; /* [CODE][,VARS] */
};

/* -EINVAL, -ENAMETOOLONG. `name` is the machine's here, and lives as long as `names`; NULL: its own. */
int elsewhere_parse(const struct elsewhere_options *options, const char *name, struct arrival_names *names,
		    struct error *error);

#endif
