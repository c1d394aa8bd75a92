/* SPDX-License-Identifier: BSD-2-Clause */
/* Which files a thread may open: see the header. */
#include "host/landlock.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* ---- What the headers of Debian 12 lack ---- */

#define FS_TRUNCATE (1ull << 14)
#define FS_IOCTL_DEV (1ull << 15)
#define NET_BIND_TCP (1ull << 0)
#define NET_CONNECT_TCP (1ull << 1)
#define RULE_NET_PORT 2

#define ABI_REFER 2
#define ABI_TRUNCATE 3
#define ABI_IOCTL_DEV 5

/* struct landlock_ruleset_attr of version 4, which the kernel takes from any; older ones have its first half. */
struct ruleset {
	uint64_t fs;
	uint64_t net;
};

/* struct landlock_net_port_attr. */
struct port_rule {
	uint64_t access;
	uint64_t port;
};

/* ---- Rights ---- */

#define FS_READ (LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR)
#define FS_CHANGE                                                                                                      \
	(LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_MAKE_SOCK |                  \
	 LANDLOCK_ACCESS_FS_REMOVE_FILE)
#define FS_OTHER                                                                                                       \
	(LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_REMOVE_DIR | LANDLOCK_ACCESS_FS_MAKE_CHAR |                   \
	 LANDLOCK_ACCESS_FS_MAKE_DIR | LANDLOCK_ACCESS_FS_MAKE_FIFO | LANDLOCK_ACCESS_FS_MAKE_BLOCK |                  \
	 LANDLOCK_ACCESS_FS_MAKE_SYM)
/* Those that a rule about what is no folder can have. */
#define FS_OF_FILES (LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_WRITE_FILE | FS_TRUNCATE)

int landlock_abi(void)
{
	long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);

	return abi > 0 ? (int)abi : 0;
}

/* All that this kernel can hold a thread to. */
static uint64_t fs_known(int abi)
{
	uint64_t known = FS_READ | FS_CHANGE | FS_OTHER;

	if (abi >= ABI_REFER)
		known |= LANDLOCK_ACCESS_FS_REFER;
	if (abi >= ABI_TRUNCATE)
		known |= FS_TRUNCATE;
	if (abi >= ABI_IOCTL_DEV)
		known |= FS_IOCTL_DEV;
	return known;
}

/* ---- Rules ---- */

static int allow_descriptor(int rules, int place, enum landlock_access access)
{
	struct landlock_path_beneath_attr rule = { .parent_fd = place };
	struct stat facts;

	if (fstat(place, &facts))
		return -errno;
	rule.allowed_access = access == LANDLOCK_WRITE ? FS_READ | FS_CHANGE | FS_TRUNCATE : FS_READ;
	rule.allowed_access &= fs_known(landlock_abi());
	if (!S_ISDIR(facts.st_mode))
		rule.allowed_access &= FS_OF_FILES;
	return syscall(SYS_landlock_add_rule, rules, LANDLOCK_RULE_PATH_BENEATH, &rule, 0) ? -errno : 0;
}

int landlock_allow(int rules, const char *path, enum landlock_access access)
{
	int place, result;

	do
		place = open(path, O_PATH | O_CLOEXEC);
	while (place < 0 && errno == EINTR);
	if (place < 0)
		return errno == ENOENT || errno == ENOTDIR || errno == EACCES ? 0 : -errno;
	result = allow_descriptor(rules, place, access);
	close(place);
	return result;
}

int landlock_allow_beside(int rules, const char *path, enum landlock_access access)
{
	/* What counts is where the file is, not where a link to it is. */
	char *file = realpath(path, NULL), *end;
	int result;

	if (!file)
		file = strdup(path);
	if (!file)
		return -ENOMEM;
	end = strrchr(file, '/');
	if (end && end != file)
		*end = '\0';
	result = landlock_allow(rules, file, access);
	free(file);
	return result;
}

int landlock_allow_port(int rules, uint16_t port)
{
	const struct port_rule rule = { NET_CONNECT_TCP, port };

	if (landlock_abi() < LANDLOCK_ABI_PORTS)
		return 0;
	return syscall(SYS_landlock_add_rule, rules, RULE_NET_PORT, &rule, 0) ? -errno : 0;
}

/* ---- Sets ---- */

int landlock_make(enum landlock_ports ports)
{
	int abi = landlock_abi(), rules;
	struct ruleset set = { .fs = fs_known(abi) };
	size_t size = sizeof(set);

	if (abi >= LANDLOCK_ABI_PORTS)
		set.net = ports == LANDLOCK_PORTS_ALL ? NET_BIND_TCP | NET_CONNECT_TCP : NET_BIND_TCP;
	else
		size = offsetof(struct ruleset, net);
	rules = (int)syscall(SYS_landlock_create_ruleset, &set, size, 0);
	return rules < 0 ? -errno : rules;
}

int landlock_enter(int rules)
{
	return syscall(SYS_landlock_restrict_self, rules, 0) ? -errno : 0;
}
