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

/* Where the contents of a STATE say something of time, each in 8 bytes but for the policy, which is 4. */
struct source_script_times {
	uint8_t *difference; /* of the two counters, in ns */
	uint8_t *policy;
	uint8_t *stopped; /* when the guest did, by the source's counter, in ns */
};

struct source_script_times source_script_find_times(uint8_t *state, size_t size);
uint64_t source_script_read(const uint8_t *place);
void source_script_write(uint8_t *place, uint64_t value);

/* Changes the stream: its guest was stopped at that time of the target's counter. */
void source_script_stop_at(struct buffer *stream, sc_ns_t when);

#endif
