/* SPDX-License-Identifier: BSD-2-Clause */
/* The options of `seaclock restore`. */
#ifndef VMM_COMMAND_RESTORE_H
#define VMM_COMMAND_RESTORE_H

#include "command/elsewhere.h"

struct restoring_options {
	struct elsewhere_options elsewhere;
	const char *clock;  /* NULL: as the file says */
	uint32_t max_gap_s; /* 0: not said */
	bool inferred;
	bool repair;
	bool force;
	const char *console; /* as for console_open() */
	const char *sandbox; /* NULL: not said */
};

#endif
