/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a migration was like, in numbers: for the operator, and for `status` on both hosts.
 *
 * Policy: the source measures; the target hears all of it by SETTLED and checks it, as everything that a peer says.
 */
#ifndef VMM_MIGRATE_REPORT_H
#define VMM_MIGRATE_REPORT_H

#include "machine/machine.h"
#include "transfer/frame.h"

#include <jansson.h>

/* The downtime, in the order in which it passes; ns. */
struct report_parts {
	uint64_t hold;	   /* from asking the guest to hold until it did; 0 if it was not asked, or did not */
	uint64_t pages;	   /* from then, or else from the order to stop, until the last pages are sent */
	uint64_t state;	   /* taking the state */
	uint64_t transfer; /* sending it, and what came before it on the way, until READY; without the loading */
	uint64_t load;	   /* loading it at the target, by the target's own measure */
	uint64_t resume;   /* from GO to DONE */
};

struct report {
	char name[NAME_SIZE];
	struct frame_id id;
	uint32_t from_hz;
	uint32_t to_hz;
	enum sc_clock_policy policy;
	enum sc_level level;
	bool inferred;		/* the level; not sent to the target, nor are the next two */
	uint32_t bandwidth_mib; /* the operator's bound, a second; 0: none */
	bool plain;		/* without TLS: each side says it of its own end */
	uint32_t rounds;
	uint64_t bytes;
	uint64_t downtime_ns; /* from the order to hold or to stop, to DONE; to the answer, if DONE was lost */
	struct report_parts parts;
	uint64_t gap_ns;	  /* which the guest's clock counts under SC_CLOCK_ADVANCE */
	uint64_t stated_bound_ns; /* of the clock's step: the hosts' difference, aged until the clock's start */
	uint64_t round_trip_ns;	  /* of the best time stamp */
	uint64_t age_ns;	  /* of that stamp when the clock started */
	bool rate_known;
	struct sc_offset_rate rate; /* of the target's counter against the source's, beyond what both state */
	uint32_t input_size;
	uint8_t input[UART_LATE_INPUT_MAX]; /* of the console, which came too late for STATE */
};

/* Of a migration that begins here, with a new id; what is not said yet is 0. */
void report_begin(struct report *report, const struct machine *machine, enum sc_clock_policy policy,
		  uint32_t bandwidth_mib, bool plain);

/* What the guest's clock steps by intention: 0, or the gap back under SC_CLOCK_FREEZE. */
int64_t report_step_ns(const struct report *report);

void report_put(struct buffer *buffer, const struct report *report);
/* -EPROTO unless all of it is in range. */
int report_get(struct cursor *cursor, struct report *report, struct error *error);

json_t *report_json(const struct report *report);

#endif
