/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The machine of which `map` is asked where it can move, and this host, from where it would.
 *
 * Policy: one that runs here is asked by its control socket, at once. One that does not is its description's, as it
 * would be made here; what its guest will follow is not known then. Nothing is asked of other hosts.
 */
#ifndef VMM_COMMAND_PASSENGER_H
#define VMM_COMMAND_PASSENGER_H

#include "base/error.h"
#include "base/name.h"
#include "host/facts.h"

#include <limits.h>
#include <stdbool.h>

#include <seaclock/core.h>

#define PASSENGER_OBSTACLE_SIZE 256u

struct passenger {
	char name[PATH_MAX]; /* as it was given */
	struct host_facts here;
	struct identity cpu; /* the registers in which it differs from what is made here */
	bool runs;
	struct sc_follow follow;		/* if it runs, without the obstacle, */
	char obstacle[PASSENGER_OBSTACLE_SIZE]; /* which is a clause */
};

/* This host's facts, with what this program speaks; as host_get_facts(). */
int passenger_host(struct host_facts *facts, struct error *error);

/* By the name of a machine that runs here, or a description's path, which has a slash. As client_status() and
 * description_read(). */
int passenger_get(const char *word, struct passenger *passenger, struct error *error);

#endif
