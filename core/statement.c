/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Statements: what two hosts that are synchronised to UTC tell about the difference of their counters.
 *
 * Policy: a statement is a claim of its host, as good as the error it gives; without one it still tells a difference,
 * but no bound. It may come from a peer or a file: what no host states is refused, and no sum here can overflow.
 */
#include "rate.h"

/* 73 years of uptime, and until the year 2116. */
#define COUNTER_MAX_NS (1ull << 61)
#define REALTIME_MAX_NS (1ull << 62)
/* The kernel gives a clock up when its largest error reaches 16 s. */
#define ERROR_MAX_NS (3600 * 1000000000ull)

bool sc_statement_is_valid(const struct sc_statement *statement)
{
	return statement->counter.v <= COUNTER_MAX_NS && statement->realtime.v <= REALTIME_MAX_NS &&
	       (statement->error_ns <= ERROR_MAX_NS || statement->error_ns == SC_STATEMENT_UNKNOWN);
}

int sc_statement_make(struct sc_statement *statement, uint32_t hz, sc_ns_t before, sc_ns_t realtime, sc_ns_t after,
		      uint64_t max_error_ns)
{
	uint64_t width = after.v - before.v + sc_rate_lag(hz);
	struct sc_statement made = {
		.counter = sc_ns(before.v + width / 2),
		.realtime = realtime,
		.error_ns = SC_STATEMENT_UNKNOWN,
	};

	if (after.v < before.v || after.v > COUNTER_MAX_NS)
		return -SC_E_VALUE;
	/* Half the bracket, rounded up, and one more because CLOCK_REALTIME was read in whole nanoseconds. */
	if (max_error_ns != SC_STATEMENT_UNKNOWN)
		made.error_ns = sc_add_saturating(max_error_ns, width - width / 2 + 1);
	/* An error that is beyond all use is none that is known. */
	if (made.error_ns > ERROR_MAX_NS)
		made.error_ns = SC_STATEMENT_UNKNOWN;
	if (!sc_statement_is_valid(&made))
		return -SC_E_VALUE;
	*statement = made;
	return 0;
}

int sc_statement_difference(const struct sc_statement *source, const struct sc_statement *target,
			    int64_t *difference_ns, uint64_t *bound_ns)
{
	if (!sc_statement_is_valid(source) || !sc_statement_is_valid(target))
		return -SC_E_VALUE;
	*difference_ns = (int64_t)target->counter.v - (int64_t)source->counter.v -
			 ((int64_t)target->realtime.v - (int64_t)source->realtime.v);
	*bound_ns = SC_STATEMENT_UNKNOWN;
	if (source->error_ns != SC_STATEMENT_UNKNOWN && target->error_ns != SC_STATEMENT_UNKNOWN)
		*bound_ns = source->error_ns + target->error_ns;
	return 0;
}
