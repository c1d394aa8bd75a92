/* SPDX-License-Identifier: BSD-2-Clause */
/* What the threads of a machine may open: see the header. */
#include "machine/reach.h"

#include "dev/disk/where.h"
#include "host/landlock.h"
#include "host/sandbox.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Servers of names, where the answer to a question is too long for UDP. */
#define PORT_OF_NAMES 53

/* Where the C library and GnuTLS look for servers of names, hosts and certificates; what is not there does not matter.
 */
static const char *const lookups[] = {
	"/etc",	     "/run/systemd/resolve",	   "/run/NetworkManager", "/run/resolvconf",
	"/run/nscd", "/usr/share/ca-certificates",
};

static int reach_refuse(int result, struct error *error)
{
	return error_set(error, error_of_call(-result), "the sandbox cannot be made (%s)", strerror(-result));
}

static int files_allow(int rules, const struct machine_config *config)
{
	const char *const read[] = { config->kernel, config->initrd, config->firmware };
	int result = 0;

	for (size_t n = 0; !result && n < sizeof(read) / sizeof(read[0]); n++)
		if (read[n][0])
			result = landlock_allow_beside(rules, read[n], LANDLOCK_READ);
	if (!result && config->variables[0])
		result = landlock_allow_beside(rules, config->variables, LANDLOCK_WRITE);
	return result;
}

static int keys_allow(int rules, const char *where)
{
	char path[CONFIG_PATH_SIZE];
	int result = 0;

	while (!result && where_keys(&where, path, sizeof(path)))
		result = landlock_allow(rules, path, LANDLOCK_READ);
	return result;
}

static int server_allow(int rules, const char *where)
{
	uint16_t port = where_is_remote(where) ? where_port(where) : 0;
	int result = port ? landlock_allow_port(rules, port) : 0;

	return result || !where_is_remote(where) ? result : keys_allow(rules, where);
}

static int servers_allow(int rules, const struct machine_config *config)
{
	int result = landlock_allow_port(rules, PORT_OF_NAMES);

	for (size_t n = 0; !result && n < sizeof(lookups) / sizeof(lookups[0]); n++)
		result = landlock_allow(rules, lookups[n], LANDLOCK_READ);
	for (uint32_t n = 0; !result && n < config->disks; n++)
		result = server_allow(rules, config->disk[n].where);
	return result;
}

static int reach_make(enum sandbox_reach reach, const struct machine_config *config)
{
	int rules = landlock_make(reach == SANDBOX_REACH_ANYWHERE ? LANDLOCK_PORTS_LISTEN : LANDLOCK_PORTS_ALL);
	int result = rules < 0 ? rules : files_allow(rules, config);

	if (!result && reach == SANDBOX_REACH_SERVERS)
		result = servers_allow(rules, config);
	if (!result)
		return rules;
	if (rules >= 0)
		close(rules);
	return result;
}

int reach_set(const struct machine_config *config, struct error *error)
{
	static const enum sandbox_reach reaches[] = { SANDBOX_REACH_NOTHING, SANDBOX_REACH_SERVERS,
						      SANDBOX_REACH_ANYWHERE };

	if (!sandbox_facts().files)
		return 0;
	for (size_t n = 0; n < sizeof(reaches) / sizeof(reaches[0]); n++) {
		int rules = reach_make(reaches[n], config);

		if (rules < 0)
			return reach_refuse(rules, error);
		sandbox_set_reach(reaches[n], rules);
	}
	return 0;
}
