/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What became of a Debian, as JSON, for programs: {"migrations": [...], "checksum_errors": N, "lost_fsyncs": N,
 * "fsck_clean": bool, "chrony_steps": N, "firmware": TEXT, "bootloader": TEXT}. Each migration is as
 * cooperative_summary.h has it, and has "ping_gap_ms": the longest time without an answer to a ping.
 */
#ifndef LAB_JUDGE_DEBIAN_SUMMARY_H
#define LAB_JUDGE_DEBIAN_SUMMARY_H

#include <jansson.h>

#include "run.h"
#include "verdict_disks.h"

/* The summary of a judged run; the caller releases it. NULL: no memory. */
json_t *debian_summary(const struct run *run, const struct disks *disks);

#endif
