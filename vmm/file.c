/* SPDX-License-Identifier: BSD-2-Clause */
/* Files that a user names: see the header. */
#include "file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define FILE_SIZE_MAX (1ll << 30)

static int file_check(FILE *file, const char *path, size_t *size, struct error *error)
{
	struct stat facts;

	if (fstat(fileno(file), &facts))
		return error_set(error, errno, "cannot look at %s (%s)", path, strerror(errno));
	if (!S_ISREG(facts.st_mode))
		return error_set(error, EINVAL, "%s is not a file", path);
	if (facts.st_size > FILE_SIZE_MAX)
		return error_set(error, EFBIG, "%s has %lld bytes; at most %lld are read", path,
				 (long long)facts.st_size, FILE_SIZE_MAX);
	*size = (size_t)facts.st_size;
	return 0;
}

static int file_load(FILE *file, const char *path, void **data, size_t size, struct error *error)
{
	*data = malloc(size ? size : 1);
	if (!*data)
		return error_set(error, ENOMEM, "no memory for the %zu bytes of %s", size, path);
	if (fread(*data, 1, size, file) == size)
		return 0;
	free(*data);
	return error_set(error, EIO, "cannot read the %zu bytes of %s", size, path);
}

int file_read(const char *path, void **data, size_t *size, struct error *error)
{
	FILE *file = fopen(path, "rbe");
	int result;

	if (!file)
		return error_set(error, errno, "cannot open %s (%s)", path, strerror(errno));
	result = file_check(file, path, size, error);
	if (!result)
		result = file_load(file, path, data, *size, error);
	fclose(file);
	return result;
}
