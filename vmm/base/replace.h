/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A file that is replaced by a new one in one step: whoever reads it, also after a crash of the host, finds the old
 * content or the new one, and never a part.
 */
#ifndef VMM_BASE_REPLACE_H
#define VMM_BASE_REPLACE_H

#include "base/error.h"

#include <stdint.h>

/* -errno and a sentence if no such file can be written: its folder does not allow it, or there is something else. */
int replace_check(const char *path, struct error *error);

/* The bytes of `data`, and zeroes up to `length`, which take no room; on the medium when this returns. */
int replace_write(const char *path, const void *data, size_t size, uint64_t length, struct error *error);

#endif
