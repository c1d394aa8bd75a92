/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Refusals: how a clause is made of fixed words and a name or a number.
 *
 * Policy: a name may be the guest's, so it is cut short, and what is not printable is shown as '?'.
 */
#ifndef REPAIR_REFUSAL_H
#define REPAIR_REFUSAL_H

#include <seaclock/repair.h>

/* `subject` and `after` may be NULL. */
void sc_refusal_write(struct sc_refusal *why, enum sc_refusal_reason reason, const char *before, const char *subject,
		      const char *after);

/* With a second name, of a member for example, at the end. */
void sc_refusal_write_pair(struct sc_refusal *why, enum sc_refusal_reason reason, const char *before,
			   const char *subject, const char *between, const char *second);

/* With a number between the words, in hexadecimal of at least so many digits, 16 at most. */
void sc_refusal_write_hex(struct sc_refusal *why, enum sc_refusal_reason reason, const char *before, uint64_t number,
			  uint32_t digits, const char *after);

/* The same, and -reason: here, so that whoever reads the caller alone sees that it is not 0. */
static inline int refusal_set(struct sc_refusal *why, enum sc_refusal_reason reason, const char *before,
			      const char *subject, const char *after)
{
	sc_refusal_write(why, reason, before, subject, after);
	return -(int)reason;
}

static inline int refusal_hex(struct sc_refusal *why, enum sc_refusal_reason reason, const char *before,
			      uint64_t number, const char *after)
{
	sc_refusal_write_hex(why, reason, before, number, 1, after);
	return -(int)reason;
}

/* All digits of a fingerprint, as tables of them have it. */
static inline int refusal_fingerprint(struct sc_refusal *why, enum sc_refusal_reason reason, const char *before,
				      uint64_t fingerprint, const char *after)
{
	sc_refusal_write_hex(why, reason, before, fingerprint, 16, after);
	return -(int)reason;
}

static inline int refusal_pair(struct sc_refusal *why, enum sc_refusal_reason reason, const char *before,
			       const char *subject, const char *between, const char *second)
{
	sc_refusal_write_pair(why, reason, before, subject, between, second);
	return -(int)reason;
}

#endif
