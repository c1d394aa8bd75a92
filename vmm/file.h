/* SPDX-License-Identifier: BSD-2-Clause */
/* Files that a user names: read whole, or refused with a sentence. */
#ifndef VMM_FILE_H
#define VMM_FILE_H

#include "error.h"

#include <stddef.h>

/* The whole file in memory that the caller frees; what is more than 1 GiB, or no regular file, is refused. */
int file_read(const char *path, void **data, size_t *size, struct error *error);

#endif
