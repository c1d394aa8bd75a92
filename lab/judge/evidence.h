/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reads the files of a run. Policy: paths in the manifest are relative to the manifest's own folder.
 */
#ifndef LAB_JUDGE_EVIDENCE_H
#define LAB_JUDGE_EVIDENCE_H

#include "run.h"

/*
 * Reads the manifest at `path` and all that it names into run, which must be zero. Returns 0, or -errno with one
 * sentence in error (RUN_ERROR_MAX bytes). The caller frees the run in any case.
 */
int evidence_read(struct run *run, const char *path, char *error);

#endif
