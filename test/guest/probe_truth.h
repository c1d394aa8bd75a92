/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Truth for the guest: the host's CLOCK_REALTIME by ptp_kvm, and the counter's rate, which identifies the host.
 *
 * Policy: nothing here comes from Seaclock, so Seaclock is not judged by what it says of itself. The lab knows by how
 * much each host's CLOCK_REALTIME differs from true time. CNTFRQ_EL0 is read on both sides of every reading: when it
 * changed, the guest has moved in between and the reading is taken again.
 */
#ifndef TEST_GUEST_PROBE_TRUTH_H
#define TEST_GUEST_PROBE_TRUTH_H

#include <stdint.h>
#include <time.h>

/* The truth clock as a POSIX clock id. */
struct truth {
	clockid_t clock;
};

/* One moment as all clocks see it; times in ns. */
struct truth_sample {
	uint64_t hz;  /* CNTFRQ_EL0: which host */
	int64_t ptp;  /* the host's CLOCK_REALTIME */
	int64_t mono; /* the guest's clocks, middle of a reading before and one after ptp */
	int64_t boot;
	int64_t real;
	uint64_t cnt;  /* CNTVCT_EL0, likewise */
	int64_t width; /* time between the two readings of mono */
};

/*
 * Opens the truth clock: a PTP device such as /dev/ptp0, or "realtime" for the machine's own CLOCK_REALTIME, which
 * serves where the program runs without a hypervisor. Returns 0, or -errno.
 */
int truth_open(struct truth *truth, const char *source);

/* Reads a clock; ns. A clock that cannot be read ends the program: a sound kernel reads all of these. */
int64_t truth_clock_ns(clockid_t clock);

/* The counter's rate, CNTFRQ_EL0, in Hz. */
uint64_t truth_rate(void);

/* Reads the truth clock (ns) and the rate (Hz) of the host it was read on. */
int64_t truth_read(const struct truth *truth, uint64_t *hz);

/* Takes several samples and returns the one with the least width. */
struct truth_sample truth_sample_take(const struct truth *truth);

#endif
