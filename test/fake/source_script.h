/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A scripted source of a migration: it sends a target the bytes that a test has written.
 *
 * Policy: no thread and no waiting. The whole stream lies in the socket, its end included, before the target reads; the
 * target's answers fit into the socket and are never read.
 */
#ifndef FAKE_SOURCE_SCRIPT_H
#define FAKE_SOURCE_SCRIPT_H

#include "host_fake.h"
#include "machine/machine.h"
#include "transfer/frame.h"

/* What fits into a socket while nobody reads. */
#define SOURCE_SCRIPT_STREAM_MAX (128u << 10)

/* Returns the target's result, and sets *ran to whether a vCPU entered the guest. The machine is gone afterwards. */
int source_script_play(const void *stream, size_t size, bool *ran, struct error *error);

/*
 * A short stream of a good migration of a small guest: one frame of each type, and a few more. For one vCPU and
 * LAYOUT_RAM_MIN; from a fake host of 25 MHz.
 */
void source_script_record(struct buffer *stream);

#endif
