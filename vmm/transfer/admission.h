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
struct admission_terms {
	bool inferred; /* what was inferred is true */
	bool repair;   /* a guest that does not follow may be repaired (transfer/repair.h) */
	bool force;    /* the guest's clock may go wrong; includes `inferred` */
};

enum admission_verdict {
	ADMISSION_MAY,
	ADMISSION_CANNOT,    /* an obstacle, or a counter of 10 MHz or less and nothing declared */
	ADMISSION_INFERRED,  /* it would follow, if what is inferred is true */
	ADMISSION_NO_RETURN, /* it would follow, but could not be moved from there again */
};

enum admission_verdict admission_judge(const struct sc_follow *follow, uint32_t from_hz, uint32_t to_hz,
				       const struct admission_terms *terms);

/* What keeps a guest from following, as one clause; "" if nothing does. */
#define ADMISSION_REASON_MAX 200
void admission_reason(const struct sc_follow *follow, char text[ADMISSION_REASON_MAX]);

/* 0 if admission_judge() says ADMISSION_MAY; else -EPERM and the sentence. */
int admission_check(const char *name, const struct sc_follow *follow, uint32_t from_hz, uint32_t to_hz,
		    const struct admission_terms *terms, struct error *error);

/* The refusal of a guest that was to be repaired, and cannot be: `why` is one clause. -EPERM. */
int admission_refuse_repair(const char *name, uint32_t from_hz, uint32_t to_hz, const char *why, struct error *error);

#endif
