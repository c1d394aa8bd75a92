/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Test vectors: each function of the core, with all that goes in and all that comes out as JSON.
 *
 * Policy: whoever makes the vectors and whoever checks them takes a structure apart in the same way; the values are
 * the core's.
 */
#ifndef TEST_VECTORS_VECTOR_H
#define TEST_VECTORS_VECTOR_H

#include <seaclock/core.h>

#include "field.h"

/* Arguments and results of all functions, by the names that the header gives them. */
struct vector {
	uint64_t a, b, divisor;
	uint32_t hz, hz_from, hz_to, source_hz, target_hz;
	sc_ticks_t ticks, counter;
	sc_ns_t ns, gap, before, realtime, after, started;
	uint64_t deadline, from, to, at, now; /* each in the unit of the function that it belongs to */
	uint64_t config, count, asked, ended, control, x2, x3, x[4], max_error_ns, capacity;
	int64_t difference_ns;
	uint32_t sequence, vcpu_count, cursor, online, move, policy, vp, n;
	bool asserted;
	struct sc_clock clock;
	struct sc_stimer timer;
	struct sc_partition partition;
	struct sc_delivery delivery;
	struct sc_stop_point stop;
	struct sc_follow follow;
	struct sc_hold_answer hold;
	struct sc_call call;
	struct sc_call_outcome outcome;
	struct sc_statement statement, source, target;
	struct sc_offset handoff;
	struct sc_stamp stamp;
	struct sc_offset_result offset;
	struct sc_offset_rate rate;
	struct field_bytes page, slot, message, input, output, record;
	/* What a function returns. */
	uint64_t result;
	int error;
	bool answer;
	bool refused; /* outcome.refused: whether, the words are free */
};

struct vector_function {
	const char *name;
	void (*run)(struct vector *vector);
	const struct field *in;
	const struct field *out;
};

/* The functions, until one without a name. */
extern const struct vector_function vector_functions[];

/* NULL if there is none. */
const struct vector_function *vector_find(const char *name);

/* What comes out of a function for what goes in; NULL if that is not what it takes, or without memory. */
json_t *vector_evaluate(const struct vector_function *function, const json_t *in);

#endif
