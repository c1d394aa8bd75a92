/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Calls of the kernel that fail, by a filter of seccomp, in a child that gives them up; and what is left in a folder.
 */
#ifndef BROKEN_FIXTURE_H
#define BROKEN_FIXTURE_H

#include "unit.h"

#include <dirent.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* Runs `part` in a child, which may give up what it is not to have: its exit status. */
static inline int in_child(int (*part)(void))
{
	pid_t pid = fork();
	int how = -1;

	if (!pid)
		_exit(part());
	waitpid(pid, &how, 0);
	return WIFEXITED(how) ? WEXITSTATUS(how) : -1;
}

/* From here on this process cannot make it last: fsync(2) of that descriptor fails with EIO. */
static inline int fsync_break(int fd)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_fsync, 0, 3),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[0])),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)fd, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EIO),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	const struct sock_fprog program = { ARRAY_SIZE(code), code };

	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
}

/* From here on this process cannot do this system call: it fails with err. */
static inline int call_break(long call, int err)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)call, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (uint32_t)err),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	const struct sock_fprog program = { ARRAY_SIZE(code), code };

	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
}

/* How many files lie in the folder. */
static inline uint32_t folder_count(const char *folder)
{
	DIR *all = opendir(folder);
	const struct dirent *entry;
	uint32_t count = 0;

	while ((entry = readdir(all)))
		count += entry->d_name[0] != '.';
	closedir(all);
	return count;
}

static inline void folder_clear(const char *folder)
{
	DIR *all = opendir(folder);
	const struct dirent *entry;

	while ((entry = readdir(all)))
		unlinkat(dirfd(all), entry->d_name, 0);
	closedir(all);
}

#endif
