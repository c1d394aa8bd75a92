// SPDX-License-Identifier: BSD-2-Clause
/*
 * The load on disks, and what checks them:
 *
 *     disks write [pause_ms=N] NUMBER=PATH...   writes, syncs and reads back until it is killed
 *     disks check NUMBER=PATH:SEQUENCE...       checks that all writes up to SEQUENCE are there, and nothing else
 *
 * The second form runs in a guest, or on the host that has the disks, when nobody writes them.
 *
 * Policy: as the probe, it prints and does not judge; an exit status other than 0 says that a disk could not be read.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "disks_check.h"
#include "disks_order.h"
#include "disks_writer.h"
#include "probe_line.h"

static int fail(const char *what, const char *why)
{
	fprintf(stderr, "disks: %s: %s\n", what, why);
	return 1;
}

static bool number_parse(const char *text, char end, uint64_t max, uint64_t *number, const char **rest)
{
	char *after;

	errno = 0;
	*number = strtoull(text, &after, 10);
	*rest = after + 1;
	return !errno && after != text && *after == end && *number <= max;
}

/* Takes NUMBER= off the argument. */
static bool disk_parse(const char *argument, unsigned int *disk, const char **path)
{
	uint64_t number;

	if (!number_parse(argument, '=', ORDER_DISKS_MAX - 1, &number, path))
		return false;
	*disk = (unsigned int)number;
	return true;
}

static int disks_write(char **arguments)
{
	uint64_t pause_ms = 100;
	const char *rest;

	if (*arguments && strncmp(*arguments, "pause_ms=", 9) == 0 &&
	    !number_parse(*arguments++ + 9, '\0', 60000, &pause_ms, &rest))
		return fail("pause_ms", "not a number up to 60000");
	for (; *arguments; arguments++) {
		unsigned int disk;
		int err = disk_parse(*arguments, &disk, &rest) ? writer_start(disk, rest, (unsigned int)pause_ms)
							       : -EINVAL;

		if (err)
			return fail(*arguments, strerror(-err));
	}
	for (;;)
		pause();
}

static int disk_check(char *argument)
{
	char *colon = strrchr(argument, ':');
	const char *path, *rest;
	struct check check;
	unsigned int disk;
	uint64_t durable;

	if (!colon || !number_parse(colon + 1, '\0', UINT64_MAX, &durable, &rest))
		return -EINVAL;
	*colon = '\0';
	int err = disk_parse(argument, &disk, &path) ? check_run(&check, path, disk, durable) : -EINVAL;

	if (!err)
		line_print("@check disk=%u durable=%" PRIu64 " last=%" PRIu64 " blocks=%" PRIu64 " wrong=%" PRIu64
			   " lost=%" PRIu64 " first=%" PRIu64,
			   disk, durable, check.last, check.blocks, check.wrong, check.lost, check.first);
	return err;
}

static int disks_check(char **arguments)
{
	int status = 0;

	for (; *arguments; arguments++) {
		int err = disk_check(*arguments);

		if (err)
			status = fail(*arguments, strerror(-err));
	}
	return status;
}

int main(int argc, char **argv)
{
	if (argc >= 3 && strcmp(argv[1], "write") == 0)
		return disks_write(argv + 2);
	if (argc >= 3 && strcmp(argv[1], "check") == 0)
		return disks_check(argv + 2);
	return fail("usage", "disks write [pause_ms=N] NUMBER=PATH..., or disks check NUMBER=PATH:SEQUENCE...");
}
