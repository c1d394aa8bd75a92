/* SPDX-License-Identifier: BSD-2-Clause */
/* What a process gives up, in a child that has given it up; and memory that it keeps for itself. */
#include "host/pagemap.h"
#include "host/process.h"
#include "unit.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define MAPPED_SIZE (4u * PAGEMAP_PAGE_SIZE)

static bool limit_is(__rlimit_resource_t resource, rlim_t most, bool for_good)
{
	struct rlimit limit;

	return !getrlimit(resource, &limit) && limit.rlim_cur <= most && (!for_good || limit.rlim_max <= most);
}

static bool is_hardened(void)
{
	return prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1 && prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) == 0 &&
	       limit_is(RLIMIT_CORE, 0, true) && limit_is(RLIMIT_NOFILE, PROCESS_FILES_MAX, false);
}

/* Pages are still told apart, though the kernel would not let a user without rights ask for them now. */
static bool sees_pages(void)
{
	uint8_t *pages = mmap(NULL, MAPPED_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int pagemap;

	madvise(pages, MAPPED_SIZE, MADV_NOHUGEPAGE);
	pages[2 * PAGEMAP_PAGE_SIZE] = 1;
	pagemap = pagemap_open();
	return pagemap >= 0 && pagemap_touched(pagemap, pages, 4) == (~0ull & ~0xbull);
}

/* Ends the process: 0 if all is well. */
static _Noreturn void give_up(void)
{
	struct error error;

	if (!geteuid() && setresuid(65534, 65534, 65534))
		_exit(4);
	/* A change of user has done this already. */
	prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
	if (process_harden(&error))
		_exit(1);
	if (!is_hardened())
		_exit(2);
	/* Again, as in a program that calls it twice: nothing more is asked for than is there. */
	if (process_harden(&error))
		_exit(3);
	_exit(sees_pages() ? 0 : 5);
}

static void test_harden(void **state)
{
	int status = -1;
	pid_t child = fork();

	(void)state;
	if (!child)
		give_up();
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

/* The flags of the mapping at this address, as the kernel has them. */
static void flags_read(const void *address, char flags[256])
{
	FILE *file = fopen("/proc/self/smaps", "re");
	unsigned long first, last;
	bool here = false;
	char line[512];

	assert_non_null(file);
	flags[0] = '\0';
	while (!flags[0] && fgets(line, sizeof(line), file)) {
		if (sscanf(line, "%lx-%lx ", &first, &last) == 2)
			here = first <= (unsigned long)address && (unsigned long)address < last;
		if (here && !strncmp(line, "VmFlags:", 8))
			snprintf(flags, 256, "%.255s", line + 8);
	}
	fclose(file);
}

static void test_withhold(void **state)
{
	void *memory = mmap(NULL, MAPPED_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	char flags[256];

	(void)state;
	flags_read(memory, flags);
	assert_null(strstr(flags, " dd"));
	process_withhold(memory, MAPPED_SIZE);
	flags_read(memory, flags);
	assert_non_null(strstr(flags, " dd"));
	assert_non_null(strstr(flags, " dc"));
	munmap(memory, MAPPED_SIZE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_harden),
		cmocka_unit_test(test_withhold),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
