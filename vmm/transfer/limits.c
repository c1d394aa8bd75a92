/* SPDX-License-Identifier: BSD-2-Clause */
/* The limits of a migration: see the header. */
#include "transfer/limits.h"

const struct handover_limits handover_limits = {
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
	.stamps = 64,
	/* 64 GiB: AES-GCM may go beyond 256 (RFC 8446, 5.5), ChaCha20 has no such bound. */
	.rekey_kib = 64 << 20,
	/* About a ms on a real host, where a try takes half a us; some ten times as long on an emulated one. */
	.tries = 2000,
};
