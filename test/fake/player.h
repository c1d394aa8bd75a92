/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A source that plays what was written for it: bytes go to a target, and what comes of it is seen.
 *
 * Policy: no thread and no waiting. The whole stream lies in the socket, its end included, before the target reads;
 * the target's answers find room in the socket and are never read.
 */
#ifndef FAKE_PLAYER_H
#define FAKE_PLAYER_H

#include "host_fake.h"
#include "machine/machine.h"
#include "transfer/frame.h"

/* What a socket takes without anybody reading. */
#define PLAYER_STREAM_MAX (128u << 10)

/* The target's result. `ran`: the guest went in. The machine is gone afterwards, either way. */
int player_play(const void *stream, size_t size, bool *ran, struct error *error);

/*
 * A short stream of a good migration of a small guest: one frame of each type, and a few more. For one vCPU and
 * LAYOUT_RAM_MIN; from a fake host of 25 MHz.
 */
void player_record(struct buffer *stream);

#endif
