/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A machine's migration to another host as the operator sees it: it runs in a thread, one at a time, and can be called
 * off. Remembers the outcome of the last one, and asks the target about one that broke in the handover.
 *
 * Policy: every client gets exactly one result, and by then the machine is in the state that the result reports.
 */
#ifndef VMM_CONTROL_MIGRATION_H
#define VMM_CONTROL_MIGRATION_H

#include "control/descriptors.h"
#include "machine/machine.h"
#include "migrate/source.h"

#include <jansson.h>
#include <limits.h>

struct migration {
	struct machine *machine;
	pthread_t thread;
	bool started; /* and not yet joined */
	int client;   /* the connection to answer; -1: none */
	bool dry_run;
	bool asking;			 /* no migration: the target is asked what became of the last one */
	char host[256];			 /* as the operator named it, and */
	char peer[CHANNEL_ADDRESS_SIZE]; /* the address that was connected to */
	struct source_options options;
	struct channel_terms terms; /* of the one under way, or of the undecided one */
	char folder[PATH_MAX];	    /* with what proves who this host is, if the operator named one */
	struct key_files files;	    /* from there, until they are read */
	struct report report;	    /* of the one under way, or of the undecided one */
	struct gate gate;
	struct lock lock; /* protects what follows */
	bool active;	  /* can be called off, unless it is too late */
	int canceller;	  /* the connection that called it off; -1: none */
	json_t *last;	  /* as in `status`; NULL: there was none */
	uint32_t arrived; /* 1 if the machine came here by one */
	uint32_t failed;
};

void migration_init(struct migration *migration, struct machine *machine);
/* Waits for a migration that is under way. */
void migration_close(struct migration *migration);

/*
 * Carries out a "migrate" request: begins a migration, or calls one off. On 0 it owns the client's connection, and
 * answers later. Takes over what came with the request: key files, in their order.
 */
int migration_request(struct migration *migration, int client, struct descriptors *passed, const json_t *request,
		      struct error *error);

/*
 * Resumes an undecided machine, its clock by the policy, if the target promises never to run it: asks the target first.
 * On 0 it owns the client's connection, and answers later.
 */
int migration_ask(struct migration *migration, int client, enum sc_clock_policy policy, struct error *error);

/* The machine is to end: calls off a migration that is under way, unless it is too late. */
void migration_call_off(struct migration *migration);

/*
 * The one that is under way, for `status`, from the thread that takes requests; NULL if there is none. The caller owns
 * a reference.
 */
json_t *migration_now(struct migration *migration);
/* Keeps the report of the migration that brought the machine here. */
void migration_note(struct migration *migration, const struct report *report);
/* How many of them ended how in this process, for `status`. The caller owns a reference. */
json_t *migration_counts(struct migration *migration);
/* What became of the last one, for `status`; NULL if there was none. The caller owns a reference. */
json_t *migration_last(struct migration *migration);

#endif
