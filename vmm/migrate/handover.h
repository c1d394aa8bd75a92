/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Who has the guest: the states of both sides of a migration, and what an event makes of them.
 *
 * Policy: pure; events in, state and action out. The names are those of the model in test/model/. At most one side ever
 * runs, because the source resumes only before GO or on the target's promise, and the target keeps each promise for
 * ever: TARGET_READY is left once.
 */
#ifndef VMM_MIGRATE_HANDOVER_H
#define VMM_MIGRATE_HANDOVER_H

/* ---- Source ---- */

enum source_state {
	SOURCE_RUNNING,	  /* the guest runs here: pre-copy, or there was no handover */
	SOURCE_STOPPED,	  /* it stands still here; GO was not sent */
	SOURCE_HANDED,	  /* GO counts as sent: the guest may run there */
	SOURCE_UNDECIDED, /* the target could not be asked what became of it: the guest stays paused here */
	SOURCE_DISKLESS,  /* it would go on here, but somebody else has its disks: it stays paused */
	SOURCE_GONE,	  /* it runs there; here it is discarded */
	SOURCE_STATES
};

enum source_event {
	SOURCE_EVENT_STOP,	     /* pre-copy has come to its end */
	SOURCE_EVENT_READY,	     /* the target can run the guest, and nobody has called the migration off */
	SOURCE_EVENT_DONE,	     /* it runs there */
	SOURCE_EVENT_FAILED,	     /* a refusal, a broken connection, a time limit, called off */
	SOURCE_EVENT_ANSWER_RUNNING, /* to the question what became of it */
	SOURCE_EVENT_ANSWER_NEVER,
	SOURCE_EVENT_NO_ANSWER, /* or: the id is unknown there */
	SOURCE_EVENT_ABORT, /* the target has given up on the migration's own connection: it promises never to run it */
	SOURCE_EVENT_RESUME,   /* the operator wants it to go on here, if that is known to be safe */
	SOURCE_EVENT_FORCE,    /* and takes it on himself */
	SOURCE_EVENT_NO_DISKS, /* SOURCE_ACTION_RESUME could not take the disks back */
	SOURCE_EVENTS
};

enum source_action {
	SOURCE_ACTION_NONE,
	SOURCE_ACTION_STOP,    /* hold the vCPUs, stop the clock */
	SOURCE_ACTION_SEND_GO, /* the state has changed before the first byte */
	SOURCE_ACTION_ASK,     /* send QUESTION on a new connection */
	SOURCE_ACTION_RESUME,  /* take the disks back and let the guest go on here */
	SOURCE_ACTION_DISCARD, /* end the machine here, and tell the target by SETTLED */
};

/* The state that follows. An event that has no meaning in a state leaves it, with SOURCE_ACTION_NONE. */
enum source_state source_step(enum source_state state, enum source_event event, enum source_action *action);

/* ---- Target ---- */

enum target_state {
	TARGET_LOADING, /* memory and state come in */
	TARGET_READY,	/* all is in place, READY was sent or is about to be */
	TARGET_RUNNING,
	TARGET_NEVER, /* a promise: this migration's guest will never run here */
	TARGET_STATES
};

enum target_event {
	TARGET_EVENT_LOADED,   /* the state is in place, nothing can fail any more */
	TARGET_EVENT_GO,       /* arrived */
	TARGET_EVENT_FAILED,   /* a refusal, a broken connection, a time limit, a signal */
	TARGET_EVENT_QUESTION, /* the source asks, on a new connection */
	TARGET_EVENTS
};

enum target_action {
	TARGET_ACTION_NONE,
	TARGET_ACTION_SEND_READY,
	TARGET_ACTION_RUN, /* the guest, and send DONE */
	TARGET_ACTION_GIVE_UP,
	TARGET_ACTION_ANSWER_RUNNING,
	TARGET_ACTION_ANSWER_NEVER, /* and give up, if that has not happened yet */
};

/* As source_step(). */
enum target_state target_step(enum target_state state, enum target_event event, enum target_action *action);

#endif
