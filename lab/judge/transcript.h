/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the guest printed on its console during one run, over all the hosts it was on.
 *
 * Policy: the consoles of the legs are one stream in order, because a line may begin on one host and end on the next.
 * A leg is the guest's time on one host, known by the counter rate of its lines; every record has the number of its
 * leg.
 */
#ifndef LAB_JUDGE_TRANSCRIPT_H
#define LAB_JUDGE_TRANSCRIPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "statistics.h"

#define TRANSCRIPT_NAME_MAX 64
#define TRANSCRIPT_LEGS_MAX 256
#define TRANSCRIPT_LEVEL_MAX 512 /* pictures of one leg that count for a rate */

/* Times in ns, rates in Hz, as in the probe's lines. */
struct transcript_sample {
	size_t leg;
	int64_t ptp, mono, boot, real, width;
	uint64_t cnt;
};

struct transcript_sleep {
	int64_t duration, mono0, mono1, ptp0, ptp1;
	int64_t hz0, hz1;
};

struct transcript_sleeps {
	size_t leg;
	int64_t ended, early, truth_early, lost, late;
};

struct transcript_reads {
	size_t leg;
	int64_t reads[2];
	int64_t own, cross, worst;
};

struct transcript_busy {
	size_t leg;
	int64_t ptp, cpu;
	int64_t work[2], ns[2]; /* of each loop: what it has done, and its processor time as the guest accounts it */
};

struct transcript_memory {
	size_t leg;
	int64_t pages, written, wrong;
	int64_t page, generation; /* of the first that was wrong */
};

/* Clocks of the guest's kernel that are read beside the host's. */
enum transcript_stamp {
	TRANSCRIPT_SCHED_CLOCK,
	TRANSCRIPT_LOG, /* the stamp of a line in the kernel's log */
	TRANSCRIPT_STAMPS
};

/* What the guest's kernel derived from the counter's rate, at one moment. */
struct transcript_level {
	size_t leg;
	struct statistics_stamp stamps[TRANSCRIPT_STAMPS];
	int64_t vdso;	     /* 1: a process that may not ask the kernel for the time could read it */
	int64_t delay;	     /* the shortest of 200 udelay(1000) */
	int64_t timer_rate;  /* what the kernel believes the counter's rate to be */
	int64_t least, most; /* dividers of the event streams; -1: off */
	int64_t cpus, warnings;
	int64_t cpu, truth; /* processor time of a busy loop, and how long it took; both 0: not known */
};

/* CLOCK_MONOTONIC_RAW minus reference time. */
struct transcript_raw {
	size_t leg;
	int64_t ptp, difference, width; /* width: within which it is known */
};

enum transcript_disk_kind {
	TRANSCRIPT_DISK_FSYNC, /* all writes up to number `sequence` are durable */
	TRANSCRIPT_DISK_LOAD,  /* running totals of one writer, which may be followed by another one's */
	TRANSCRIPT_DISK_CHECK, /* a whole disk was read, for which `sequence` was durable */
	TRANSCRIPT_DISK_ERROR, /* a request failed */
};

/* What is not told by a kind is 0. */
struct transcript_disk {
	size_t leg;
	enum transcript_disk_kind kind;
	int64_t disk, sequence;
	int64_t checked; /* LOAD: blocks that were read back; CHECK: blocks of the disk */
	int64_t wrong;	 /* blocks that do not hold what was written */
	int64_t lost;	 /* CHECK: blocks that lack what was durable */
};

/* Whether the guest's kernel took its clock for synchronised. */
struct transcript_sync {
	int64_t unsync; /* 1: no */
	int64_t mono;	/* when, by the guest's CLOCK_MONOTONIC; ns */
};

/* Growing array of one kind of record. */
struct transcript_list {
	void *items;
	size_t count, room;
};

struct transcript {
	char kernel[TRANSCRIPT_NAME_MAX];
	char clocksource[TRANSCRIPT_NAME_MAX];
	char clockevent[TRANSCRIPT_NAME_MAX];
	struct transcript_list samples; /* struct transcript_sample */
	struct transcript_list sleep;	/* struct transcript_sleep: printed one by one */
	struct transcript_list sleeps;	/* struct transcript_sleeps: running totals */
	struct transcript_list reads;	/* struct transcript_reads: running totals */
	struct transcript_list busy;	/* struct transcript_busy: running totals */
	struct transcript_list memory;	/* struct transcript_memory: running totals */
	struct transcript_list level;	/* struct transcript_level; warnings are a running total */
	struct transcript_list raw;	/* struct transcript_raw */
	struct transcript_list disks;	/* struct transcript_disk, in the order of the lines */
	struct transcript_list sync;	/* struct transcript_sync */
	int64_t leg_hz[TRANSCRIPT_LEGS_MAX];
	size_t legs;
	size_t taken, damaged; /* lines */
	bool done;
};

/*
 * Reads the whole stream. Damaged lines are counted, not an error. Returns 0, -E2BIG for more than TRANSCRIPT_LEGS_MAX
 * legs, or -ENOMEM; the caller frees with transcript_free in any case.
 */
int transcript_parse(struct transcript *transcript, const char *bytes, size_t length);

void transcript_free(struct transcript *transcript);

static inline const struct transcript_sample *transcript_samples(const struct transcript *transcript)
{
	return transcript->samples.items;
}

#endif
