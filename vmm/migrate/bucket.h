/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A token bucket: how long a sender waits so that no more than so many bytes a second leave.
 *
 * Policy: pure. What has been sent is paid for afterwards, by waiting. In any time no more leaves than the rate allows
 * for that time and BUCKET_BURST_NS more, and one piece. A wait that was too long is made up for within the burst, so
 * that a rate is reached also where waits end late. Source: the virtual scheduling form of ITU-T I.371.
 */
#ifndef VMM_MIGRATE_BUCKET_H
#define VMM_MIGRATE_BUCKET_H

#include <seaclock/core.h>

#define BUCKET_BURST_NS 10000000u

struct bucket {
	uint64_t rate; /* bytes a second, up to 2^50; 0: as fast as it goes */
	sc_ns_t paid;  /* by then all that was sent is paid for */
};

/* So many bytes have been sent by now: how long to wait before more is sent. */
sc_ns_t bucket_take(struct bucket *bucket, uint64_t bytes, sc_ns_t now);

#endif
