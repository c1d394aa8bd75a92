/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How long each side of a migration waits for the other and for the guest, how hard they compare their clocks, and how
 * much they send with one key.
 *
 * Policy: constants of the program, in a file of their own, so that tests can link others.
 */
#ifndef VMM_TRANSFER_LIMITS_H
#define VMM_TRANSFER_LIMITS_H

struct handover_limits {
	int frame_ms;	   /* for a frame, while the guest runs */
	int prepare_ms;	   /* for the guest to put its clock on the page, */
	int hold_ms;	   /* and to stand still in a hold, when it is asked */
	int stopped_ms;	   /* from the stop to READY; and from GO to DONE, at the target from READY to GO */
	int question_ms;   /* for all questions after a lost DONE together; longer than the target takes a GO */
	int retry_ms;	   /* between two questions */
	int disks_ms;	   /* after a failure, for the target to give the disks back; longer than it takes a GO */
	int comparison_ms; /* for the clocks' comparison to become good enough once the rest of memory fits */
	int settled_ms;	   /* for the source to say SETTLED */
	int unknown_ms;	   /* for somebody known to call at a socket that another process goes on listening at */
	int linger_ms;	   /* for a source to ask, once the receiver was told to end */
	int stamps;	   /* in one burst */
	int rekey_kib;	   /* sent by TLS before it takes new keys */
	int tries;	   /* to find the answer to a stamp awake, before a side sleeps */
};

extern const struct handover_limits handover_limits;

#endif
