/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * VMClock: a page from which a guest computes the time from its counter, with its error, and learns that its counter
 * was disrupted.
 *
 * Policy: pure. Each field is true or marked as not valid; an error is a bound, rounded up. What the host knows comes
 * as one struct vmclock_time in terms of the host's counter, made here of a statement and of how CLOCK_REALTIME is
 * steered; a host's own VMClock page says the same, and can take their place. Source: Linux 7.3,
 * include/uapi/linux/vmclock-abi.h and drivers/ptp/ptp_vmclock.c, and the VMClock specification 1.0 of the UAPI group;
 * where they differ, Linux. They differ in the place of two flags, and in the sign of tai_offset_sec: the driver
 * subtracts it from UTC to get TAI.
 */
#ifndef VMM_DEV_VMCLOCK_H
#define VMM_DEV_VMCLOCK_H

#include "host/host.h"

#define VMCLOCK_MAGIC 0x4b4c4356u /* "VCLK" */
#define VMCLOCK_VERSION 1u
#define VMCLOCK_COUNTER_ARM_VIRTUAL 0u
#define VMCLOCK_TIME_UTC 0u

#define VMCLOCK_TAI_OFFSET_VALID (1ull << 0)
#define VMCLOCK_PERIOD_MAXERROR_VALID (1ull << 4)
#define VMCLOCK_TIME_ESTERROR_VALID (1ull << 5)
#define VMCLOCK_TIME_MAXERROR_VALID (1ull << 6)
#define VMCLOCK_GENERATION_PRESENT (1ull << 8)
#define VMCLOCK_NOTIFICATION_PRESENT (1ull << 9)

enum vmclock_status {
	VMCLOCK_UNKNOWN,
	VMCLOCK_INITIALIZING,
	VMCLOCK_SYNCHRONIZED,
	VMCLOCK_FREERUNNING,
	VMCLOCK_UNRELIABLE,
};

enum vmclock_leap {
	VMCLOCK_LEAP_NONE,
	VMCLOCK_LEAP_PRE_POSITIVE,
	VMCLOCK_LEAP_PRE_NEGATIVE,
	VMCLOCK_LEAP_POSITIVE,
	VMCLOCK_LEAP_POST_POSITIVE,
	VMCLOCK_LEAP_POST_NEGATIVE,
};

/* The page: little-endian, at the start of its region. */
struct vmclock_page {
	uint32_t magic;
	uint32_t size; /* of the region, bytes */
	uint16_t version;
	uint8_t counter_id;
	uint8_t time_type;
	uint32_t sequence; /* odd while the rest is written */
	uint64_t disruption_marker;
	uint64_t flags;
	uint8_t reserved[2];
	uint8_t clock_status;
	uint8_t leap_second_smearing_hint;
	uint16_t tai_offset_s; /* UTC - TAI, in two's complement */
	uint8_t leap_indicator;
	uint8_t period_shift;
	uint64_t counter_value;
	uint64_t period;	  /* 1 / 2^(64 + period_shift) s a tick */
	uint64_t period_esterror; /* the same */
	uint64_t period_maxerror;
	uint64_t time_s;	/* at counter_value */
	uint64_t time_fraction; /* 1 / 2^64 s */
	uint64_t time_esterror_ns;
	uint64_t time_maxerror_ns;
	uint64_t generation;
};

/* What a host knows of the time, at one moment. */
struct vmclock_time {
	sc_ticks_t counter; /* of the host */
	uint64_t period;
	uint64_t period_maxerror;
	uint8_t period_shift;
	uint64_t time_s;
	uint64_t time_fraction;
	uint64_t time_esterror_ns;
	uint64_t time_maxerror_ns;
	uint64_t flags; /* which of these are valid */
	enum vmclock_status status;
	enum vmclock_leap leap;
	int32_t tai_offset_s; /* UTC - TAI */
};

/* What a guest is told besides. */
struct vmclock_guest {
	uint64_t offset; /* guest counter = host counter - offset, modulo 2^64 */
	uint64_t disruption_marker;
	uint64_t generation;
	uint32_t size;	   /* of the region, bytes */
	uint32_t sequence; /* of the page, even; vmclock_write() moves it on */
};

/*
 * Of a counter of `hz` a second. The statement's error grows by one ns for the conversion to ticks, and one for what
 * CLOCK_REALTIME passes in less than a tick.
 */
struct vmclock_time vmclock_time_make(uint32_t hz, const struct sc_statement *statement,
				      const struct host_discipline *discipline);

/*
 * Whether a page that says `told` still says what was found later, `now`, of the same counter: at now's counter value
 * it gives the same time to 1 us, its bound of the error covers that of `now` and is less than 1 ms wider, it is less
 * than 16 s old, and the rest is alike, but for the period, which shows in the time.
 */
bool vmclock_time_holds(const struct vmclock_time *told, const struct vmclock_time *now);

/* Writes the page, which the guest may be reading. */
void vmclock_write(struct vmclock_page *page, const struct vmclock_time *time, struct vmclock_guest *guest);

#endif
