/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Who has a machine's name: the process whose control socket it leads to.
 *
 * Policy: taking a name and giving it up is atomic among the monitors of a folder (folder.h). A successor, which takes
 * over a machine from the process that has the name, listens at a place beside it meanwhile (NAME.next), where no
 * operator looks. A predecessor whose machine has moved gives it the name by one rename(), so that it always leads to
 * one of the two. One that has been killed, or knows nothing of successors, leaves a name that is free: then the
 * successor takes it.
 */
#ifndef VMM_CONTROL_NAMING_H
#define VMM_CONTROL_NAMING_H

#include "base/error.h"

#include <stdbool.h>
#include <sys/un.h>

struct naming {
	struct sockaddr_un name;
	struct sockaddr_un beside; /* a successor's place */
	bool succeeds;		   /* the socket is there, until naming_claim() */
};

/* A listener with this name, which is valid, or beside it. -EEXIST if another one has that. */
int naming_take(struct naming *naming, const char *name, bool succeeds, int *listener, struct error *error);

/* A successor's guest runs here: takes the name, if it is free or the predecessor has given it. */
void naming_claim(struct naming *naming);

/* Gives it up, before the listener is closed; to a successor if there is one, and the machine has `moved`. */
void naming_give_up(struct naming *naming, bool moved);

/* The same in a hurry: to nobody, and without a lock. */
void naming_remove(const struct naming *naming);

#endif
