/* SPDX-License-Identifier: BSD-2-Clause */
/* A token bucket: see the header. */
#include "migrate/bucket.h"

#include <stdint.h>

#define NS_PER_S 1000000000u

static uint64_t add_saturating(uint64_t a, uint64_t b)
{
	return a <= UINT64_MAX - b ? a + b : UINT64_MAX;
}

sc_ns_t bucket_take(struct bucket *bucket, uint64_t bytes, sc_ns_t now)
{
	uint64_t idle_since = now.v > BUCKET_BURST_NS ? now.v - BUCKET_BURST_NS : 0;

	if (!bucket->rate)
		return sc_ns(0);
	if (bucket->paid.v < idle_since)
		bucket->paid.v = idle_since;
	/* A ns for what the division leaves out, so that small pieces are not free. */
	if (bytes)
		bucket->paid.v =
			add_saturating(add_saturating(bucket->paid.v, 1), sc_muldiv(bytes, NS_PER_S, bucket->rate));
	return sc_ns(bucket->paid.v > now.v ? bucket->paid.v - now.v : 0);
}
