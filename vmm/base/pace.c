/* SPDX-License-Identifier: BSD-2-Clause */
/* A thread's share of the host's time: see the header. */
#include "base/pace.h"

/* A - B, or 0. */
static uint64_t less(uint64_t a, uint64_t b)
{
	return a > b ? a - b : 0;
}

static uint64_t smaller(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

sc_ns_t pace_work(struct pace *pace, sc_ns_t now, sc_ns_t worked)
{
	uint64_t debt = less(pace->debt_ns, less(now.v, pace->now.v) / PACE_SHARE);

	debt += smaller(less(worked.v, pace->worked.v), PACE_DEBT_MAX_NS);
	*pace = (struct pace){ now, worked, smaller(debt, 2 * PACE_DEBT_MAX_NS) };
	return sc_ns(less(pace->debt_ns, PACE_DEBT_MAX_NS) * PACE_SHARE);
}
