/* SPDX-License-Identifier: BSD-2-Clause */
/* Files that a user names: opened, read whole, or refused with a sentence. */
#ifndef VMM_BASE_FILE_H
#define VMM_BASE_FILE_H

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>

/* The number of a descriptor, such as `3`: false for any other text. */
bool file_descriptor_parse(const char *text, int *fd);

/* The same path from the root, in a place of `size` bytes. -EINVAL for none, -ENAMETOOLONG if it does not fit. */
int file_path(const char *path, char *place, size_t size, struct error *error);

/* The path of what has that name in the folder, in a place of `size` bytes. -ENAMETOOLONG if it does not fit. */
int file_path_in(const char *folder, const char *name, char *place, size_t size, struct error *error);

/*
 * Opens it for reading: the descriptor. What is no regular file is refused, without waiting for a FIFO's writer, and no
 * terminal becomes this process's.
 */
int file_open(const char *path, struct error *error);

/*
 * The whole file in memory that the caller frees; what is more than 1 GiB is refused. -EINTR if an order to end comes
 * meanwhile.
 */
int file_read(const char *path, void **data, size_t *size, struct error *error);

/* The same of one that is open, at its beginning; the path is for sentences. */
int file_read_open(int fd, const char *path, void **data, size_t *size, struct error *error);

#endif
