/* SPDX-License-Identifier: BSD-2-Clause */
/* The files by which a host proves who it is: see the header. */
#include "migrate/key_files.h"

#include "base/file.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

const struct key_files key_files_none = { .fd = { -1, -1, -1, -1 } };

static const char *const names[KEY_FILES] = { "ca.pem", "cert.pem", "key.pem", "crl.pem" };

int key_files_path_of(const char *folder, const char *name, char path[PATH_MAX], struct error *error)
{
	size_t length = strlen(folder);

	if (!length || folder[length - 1] != '_')
		return file_path_in(folder, name, path, PATH_MAX, error);
	if (snprintf(path, PATH_MAX, "%s%s", folder, name) < PATH_MAX)
		return 0;
	return error_set(error, ENAMETOOLONG, "the path of %.100s... is too long for a file", folder);
}

int key_files_path(const char *folder, enum key_file which, char path[PATH_MAX], struct error *error)
{
	return key_files_path_of(folder, names[which], path, error);
}

int key_files_open(struct key_files *files, const char *folder, struct error *error)
{
	char path[PATH_MAX];

	*files = key_files_none;
	for (int which = 0; which < KEY_FILES; which++) {
		int result = key_files_path(folder, (enum key_file)which, path, error);

		if (!result)
			result = file_open(path, error);
		if (result == -ENOENT && which == KEY_FILE_CRL)
			return 0;
		if (result < 0) {
			key_files_close(files);
			return result;
		}
		files->fd[which] = result;
	}
	return 0;
}

void key_files_close(struct key_files *files)
{
	for (int which = 0; which < KEY_FILES; which++)
		if (files->fd[which] >= 0)
			close(files->fd[which]);
	*files = key_files_none;
}
