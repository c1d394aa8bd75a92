/* SPDX-License-Identifier: BSD-2-Clause */
/* A control folder of the test program's own, for all of its tests. */
#ifndef FOLDER_FIXTURE_H
#define FOLDER_FIXTURE_H

#include <stdlib.h>
#include <unistd.h>

static char folder[] = "/tmp/seaclock-folder-XXXXXX";

static inline int make_folder(void **state)
{
	(void)state;
	return mkdtemp(folder) ? setenv("SEACLOCK_DIR", folder, 1) : -1;
}

static inline int remove_folder(void **state)
{
	(void)state;
	return rmdir(folder);
}

#endif
