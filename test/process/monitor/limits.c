/* SPDX-License-Identifier: BSD-2-Clause */
/* Time limits that a test can set: see the header. */
#include "limits.h"

struct handover_limits process_limits = {
	.frame_ms = 30000,
	.prepare_ms = 5000,
	.hold_ms = 3000,
	.stopped_ms = 10000,
	.question_ms = 30000,
	.retry_ms = 500,
	.disks_ms = 12000,
	.comparison_ms = 10000,
	.settled_ms = 600000,
	.unknown_ms = 30000,
	.linger_ms = 15000,
	.rekey_kib = 64 << 20,
	/* Few, because here two processes and a relay share the processors with all the other tests. */
	.stamps = 8,
	.tries = 20,
};
