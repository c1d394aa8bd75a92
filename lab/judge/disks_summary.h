/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What became of the disks of some guests, as JSON, for programs: {"migrations": [...], "checksum_errors": N,
 * "lost_fsyncs": N}, the migrations as cooperative_summary.h has them.
 */
#ifndef LAB_JUDGE_DISKS_SUMMARY_H
#define LAB_JUDGE_DISKS_SUMMARY_H

#include <jansson.h>

#include "run.h"
#include "verdict_disks.h"

/*
 * The summary `old`, NULL at first, with one more judged run added; the caller releases it. The migrations of its case
 * take the place of those of an earlier one. NULL: no memory.
 */
json_t *disks_summary(const json_t *old, const struct run *run, const struct disks *disks);

#endif
