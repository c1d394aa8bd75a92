/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The manifest of a run: what the script that drove it wrote down, and where the evidence lies. One item per line:
 *
 *     host NAME HZ                           a lab host
 *     truth NAME OFFSET_NS AT_NS DRIFT_PPB   a calibration, from `lab/lab truth`: truth minus that host's
 *                                            CLOCK_REALTIME, when the latter showed AT_NS, and by how much that grows
 *     load idle|memory                       what the guest does besides its clocks; without it, idle
 *     case NAME raw|page                     what is tried, and the guest's clock while nothing is asked of it
 *     kernel RELEASE PAGE_SIZE LEVEL         the guest's kernel, its page size in bytes, and the level it must move at
 *     silence SECONDS                        how long the guest's own load may keep everything else in it from running;
 *                                            the longest counts; without one, 0
 *     console FILE                           a guest console; in the order of the legs
 *     migration FROM TO FILE                 what `seaclock migrate --json` printed; in order
 *     end done|stopped                       how the guest was to end: by itself or by `seaclock stop`
 *     ping FILE                              what a pinger (lab/pinger/) printed that watched the guest during a
 *                                            migration; one for each, in order
 *     late MS                                how long after the downtime a ping may be answered
 *     chrony FILE                            what chronyd in the guest wrote to its log
 *     slew PPM                               how much faster or slower than its host's clock a time service lets the
 *                                            guest's run; without it, 0
 *     fsck STATUS                            the exit status of fsck for the guest's root file system, after its end
 *     firmware TEXT                          what the guest was booted by: a word of name and version
 *     bootloader TEXT                        likewise
 *
 * Policy: a calibration can be too small (a stale truth is always too old) but hardly too large, so the largest of a
 * host counts, and their spread tells how well they agree. Hosts have different rates, since a sample names its
 * host by the rate.
 */
#ifndef LAB_JUDGE_MANIFEST_H
#define LAB_JUDGE_MANIFEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MANIFEST_NAME_MAX 64
#define MANIFEST_PATH_MAX 256
#define MANIFEST_HOSTS_MAX 8
#define MANIFEST_FILES_MAX 128
#define MANIFEST_ERROR_MAX 256

struct manifest_host {
	char name[MANIFEST_NAME_MAX];
	int64_t hz;
	int64_t offset; /* truth minus the host's clock at the time `at` of that clock: the largest calibration; ns */
	int64_t at;	/* ns */
	int64_t drift_ppb; /* growth of that offset by the host's clock: not 0 where the stated rate is wrong */
	int64_t spread;	   /* largest calibration minus smallest, ns */
	size_t calibrations;
};

struct manifest_migration {
	size_t from, to; /* indexes of hosts */
	char path[MANIFEST_PATH_MAX];
};

struct manifest {
	struct manifest_host hosts[MANIFEST_HOSTS_MAX];
	size_t host_count;
	char consoles[MANIFEST_FILES_MAX][MANIFEST_PATH_MAX];
	size_t console_count;
	struct manifest_migration migrations[MANIFEST_FILES_MAX];
	size_t migration_count;
	bool ends_by_itself;
	bool has_memory_load;
	char case_name[MANIFEST_NAME_MAX];
	bool keeps_page;		/* the guest's user has chosen the page as its clock */
	char kernel[MANIFEST_NAME_MAX]; /* empty: not said */
	int64_t page_size;
	char level[MANIFEST_NAME_MAX];
	int64_t silence_ns;
	char pings[MANIFEST_FILES_MAX][MANIFEST_PATH_MAX];
	size_t ping_count;
	int64_t late_ms;		/* 0: not said */
	char chrony[MANIFEST_PATH_MAX]; /* empty: none */
	int64_t slew_ppm;
	bool has_fsck;
	int64_t fsck;
	char firmware[MANIFEST_NAME_MAX], bootloader[MANIFEST_NAME_MAX]; /* empty: not known */
};

/* Parses the text, ended by '\0'. Returns 0, or -EINVAL with one sentence in error, MANIFEST_ERROR_MAX bytes. */
int manifest_parse(struct manifest *manifest, const char *text, char *error);

/* The truth in ns, from an origin common to all hosts, when the host's clock shows `clock` ns (0 to LINE_TIME_MAX). */
int64_t manifest_host_truth(const struct manifest_host *host, int64_t clock);

/* How fast the host's clock runs, by truth: 1 where the stated rate of its counter is right. */
double manifest_host_rate(const struct manifest_host *host);

/* The host with this rate, or NULL. */
const struct manifest_host *manifest_host_by_rate(const struct manifest *manifest, int64_t hz);

#endif
