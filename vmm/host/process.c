/* SPDX-License-Identifier: BSD-2-Clause */
/* What a process gives up: see the header. */
#include "host/process.h"

#include "host/pagemap.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>

/* Neither limit may be raised above the hard one again. */
static int limit_lower(int resource, rlim_t most, bool for_good)
{
	struct rlimit limit;

	if (getrlimit((__rlimit_resource_t)resource, &limit))
		return -errno;
	if (limit.rlim_cur > most)
		limit.rlim_cur = most;
	if (for_good && limit.rlim_max > most)
		limit.rlim_max = most;
	return setrlimit((__rlimit_resource_t)resource, &limit) ? -errno : 0;
}

int process_harden(struct error *error)
{
	int result;

	/* While the process is dumpable: /proc/self/pagemap belongs to root afterwards. */
	pagemap_keep();
	result = prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) ? -errno : 0;
	if (!result)
		result = limit_lower(RLIMIT_CORE, 0, true);
	/* passt has a descriptor for each flow of its guest, and raises its own limit to the hard one. */
	if (!result)
		result = limit_lower(RLIMIT_NOFILE, PROCESS_FILES_MAX, false);
	return result ? error_set(error, error_of_call(-result), "the process cannot give up its rights (%s)",
				  strerror(-result))
		      : 0;
}

void process_withhold(void *memory, uint64_t size)
{
	madvise(memory, size, MADV_DONTFORK);
	madvise(memory, size, MADV_DONTDUMP);
}
