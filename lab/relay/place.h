/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The place in a migration where a fault begins: a number of bytes, or a frame by its type.
 *
 * Policy: pure. A frame is looked for in both directions, since only one side sends each type; it is counted over all
 * connections. The header of a frame is kept back until it is whole, so that a fault can begin before its first byte.
 */
#ifndef LAB_RELAY_PLACE_H
#define LAB_RELAY_PLACE_H

#include "transfer/frame.h"

struct place {
	uint32_t type;	/* enum frame_type; 0: counted in bytes from the source, on the first connection */
	uint32_t nth;	/* 1: the first of its type */
	uint64_t bytes; /* into the frame, or from the beginning */
	uint32_t seen;	/* of that type, so far */
};

/* BYTES, or TYPE[:NTH][+BYTES], as in `GO`, `STAMP:3`, `STATE+100`. False if it is neither. */
bool place_parse(const char *text, struct place *place);

/* One direction of one connection. */
struct flow {
	uint64_t content; /* bytes left of the present frame */
	bool counting;	  /* the place is in this direction, */
	uint64_t until;	  /* so many bytes ahead */
};

/* `first`: what comes from the source on the first connection. */
struct flow flow_make(const struct place *place, bool first);

/*
 * How many of the bytes that have come may pass on; the rest must be passed in again, with what follows it. *reached:
 * the fault begins after those that pass.
 */
size_t flow_pass(struct flow *flow, struct place *place, const uint8_t *bytes, size_t size, bool *reached);

#endif
