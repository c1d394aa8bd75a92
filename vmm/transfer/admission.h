/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Whether a guest may go from a counter of one rate to one of another: the one rule for dry runs, migrations, files and
 * what `status` says.
 *
 * Policy: pure. A guest that cannot follow is refused with both rates, the true obstacle and the way out. What is only
 * inferred of a guest counts if the operator says that it is so.
 */
#ifndef VMM_TRANSFER_ADMISSION_H
#define VMM_TRANSFER_ADMISSION_H

#include "base/error.h"

#include <seaclock/core.h>

/* What the operator allows. */
struct rate_terms {
	bool inferred; /* what was inferred is true */
	bool force;    /* the guest's clock may go wrong; includes the other */
};

enum rate_verdict {
	RATE_MAY,
	RATE_CANNOT,	/* an obstacle, or a counter of 10 MHz or less and nothing declared */
	RATE_INFERRED,	/* it would follow, if what is inferred is true */
	RATE_NO_RETURN, /* it would follow, but could not be moved from there again */
};

enum rate_verdict rate_judge(const struct sc_follow *follow, uint32_t from_hz, uint32_t to_hz,
			     const struct rate_terms *terms);

/* What keeps a guest from following, as one clause; "" if nothing does. */
#define RATE_REASON_MAX 200
void rate_reason(const struct sc_follow *follow, char text[RATE_REASON_MAX]);

/* 0 if rate_judge() says RATE_MAY; else -EPERM and the sentence. */
int rate_check(const char *name, const struct sc_follow *follow, uint32_t from_hz, uint32_t to_hz,
	       const struct rate_terms *terms, struct error *error);

#endif
