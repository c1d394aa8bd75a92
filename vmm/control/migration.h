/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A machine's migration to another host as the operator sees it: a thread of its own, one at a time, which can be
 * called off; what became of the last one; and the question after one that broke in the handover.
 *
 * Policy: every client that asked for something gets exactly one result, after the machine is in the state that the
 * result tells.
 */
#ifndef VMM_CONTROL_MIGRATION_H
#define VMM_CONTROL_MIGRATION_H

#include "machine/machine.h"
#include "migrate/source.h"

#include <jansson.h>

struct migration {
	struct machine *machine;
	pthread_t thread;
	bool started; /* and not yet joined */
	int client;   /* who asked; -1: nobody any more */
	bool dry_run;
	bool asking;			 /* no migration: only the question what became of the last one */
	char host[256];			 /* as the operator named it, */
	char peer[CHANNEL_ADDRESS_SIZE]; /* and the one of its addresses that was taken */
	struct source_options options;
	struct report report; /* of the one under way, or of the undecided one */
	struct gate gate;
	pthread_mutex_t lock; /* what follows */
	bool active;	      /* can be called off, if it is not too late */
	int canceller;	      /* who called it off; -1: nobody */
	json_t *last;	      /* as in `status`; NULL: there was none */
};

void migration_init(struct migration *migration, struct machine *machine);
/* Waits for the one that is under way. */
void migration_close(struct migration *migration);

/*
 * What a request under {"command": "migrate"} wants: to begin one, or to call one off. Takes the client over if it
 * returns 0; the results come later.
 */
int migration_request(struct migration *migration, int client, const json_t *request, struct error *error);

/*
 * The operator wants an undecided machine to go on here, its clock by the policy: asks the target, and does what it
 * says. Takes the client over if it returns 0.
 */
int migration_ask(struct migration *migration, int client, enum sc_clock_policy policy, struct error *error);

/* The machine is to end: calls the migration off that is under way, if there is one and it is not too late. */
void migration_call_off(struct migration *migration);

/* This machine came here by a migration whose report the source has sent. */
void migration_note(struct migration *migration, const struct report *report);
/* What became of the last one, for `status`; NULL if there was none. The caller has a reference of his own. */
json_t *migration_last(struct migration *migration);

#endif
