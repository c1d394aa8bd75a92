/* SPDX-License-Identifier: BSD-2-Clause */
/* The file that the program came from: see the header. */
#include "base/program.h"

#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

#define PROGRAM_LINK "/proc/self/exe"

/* The number of a file is not given to another one while a process runs from it. */
static struct {
	char path[PATH_MAX]; /* "": not known */
	struct stat file;
} noted;

void program_note(void)
{
	ssize_t length = readlink(PROGRAM_LINK, noted.path, sizeof(noted.path));
	bool whole = length > 0 && (size_t)length < sizeof(noted.path);

	if (!whole || stat(PROGRAM_LINK, &noted.file))
		length = 0;
	noted.path[length] = '\0';
}

bool program_is_replaced(void)
{
	struct stat now;

	if (!noted.path[0] || stat(noted.path, &now))
		return false;
	return now.st_dev != noted.file.st_dev || now.st_ino != noted.file.st_ino;
}
