/* SPDX-License-Identifier: BSD-2-Clause */
/* Who has the guest: see the header. */
#include "migrate/handover.h"

/* ---- Source ---- */

static enum source_state step_running(enum source_event event, enum source_action *action)
{
	switch (event) {
	case SOURCE_EVENT_STOP:
		*action = SOURCE_ACTION_STOP;
		return SOURCE_STOPPED;
	case SOURCE_EVENT_NO_DISKS:
		return SOURCE_DISKLESS;
	default:
		return SOURCE_RUNNING;
	}
}

static enum source_state step_stopped(enum source_event event, enum source_action *action)
{
	switch (event) {
	case SOURCE_EVENT_READY:
		*action = SOURCE_ACTION_SEND_GO;
		return SOURCE_HANDED;
	case SOURCE_EVENT_FAILED:
		*action = SOURCE_ACTION_RESUME;
		return SOURCE_RUNNING;
	default:
		return SOURCE_STOPPED;
	}
}

static enum source_state step_handed(enum source_event event, enum source_action *action)
{
	switch (event) {
	case SOURCE_EVENT_DONE:
	case SOURCE_EVENT_ANSWER_RUNNING:
		*action = SOURCE_ACTION_DISCARD;
		return SOURCE_GONE;
	case SOURCE_EVENT_FAILED:
		*action = SOURCE_ACTION_ASK;
		return SOURCE_HANDED;
	case SOURCE_EVENT_ANSWER_NEVER:
	case SOURCE_EVENT_ABORT:
		*action = SOURCE_ACTION_RESUME;
		return SOURCE_RUNNING;
	case SOURCE_EVENT_NO_ANSWER:
		return SOURCE_UNDECIDED;
	default:
		return SOURCE_HANDED;
	}
}

static enum source_state step_undecided(enum source_event event, enum source_action *action)
{
	switch (event) {
	case SOURCE_EVENT_RESUME:
		*action = SOURCE_ACTION_ASK;
		return SOURCE_HANDED;
	case SOURCE_EVENT_FORCE:
		*action = SOURCE_ACTION_RESUME;
		return SOURCE_RUNNING;
	default:
		return SOURCE_UNDECIDED;
	}
}

/* To force it changes nothing: a guest does not run on disks that somebody else writes to. */
static enum source_state step_diskless(enum source_event event, enum source_action *action)
{
	if (event != SOURCE_EVENT_RESUME && event != SOURCE_EVENT_FORCE)
		return SOURCE_DISKLESS;
	*action = SOURCE_ACTION_RESUME;
	return SOURCE_RUNNING;
}

enum source_state source_step(enum source_state state, enum source_event event, enum source_action *action)
{
	*action = SOURCE_ACTION_NONE;
	switch (state) {
	case SOURCE_RUNNING:
		return step_running(event, action);
	case SOURCE_STOPPED:
		return step_stopped(event, action);
	case SOURCE_HANDED:
		return step_handed(event, action);
	case SOURCE_UNDECIDED:
		return step_undecided(event, action);
	case SOURCE_DISKLESS:
		return step_diskless(event, action);
	default:
		return state;
	}
}

/* ---- Target ---- */

/* Before GO: whatever is not on the way to it ends in the promise. */
static enum target_state step_open(enum target_state state, enum target_event event, enum target_action *action)
{
	switch (event) {
	case TARGET_EVENT_FAILED:
		*action = TARGET_ACTION_GIVE_UP;
		return TARGET_NEVER;
	case TARGET_EVENT_QUESTION:
		*action = TARGET_ACTION_ANSWER_NEVER;
		return TARGET_NEVER;
	default:
		return state;
	}
}

enum target_state target_step(enum target_state state, enum target_event event, enum target_action *action)
{
	*action = TARGET_ACTION_NONE;
	if (state == TARGET_LOADING && event == TARGET_EVENT_LOADED) {
		*action = TARGET_ACTION_SEND_READY;
		return TARGET_READY;
	}
	if (state == TARGET_READY && event == TARGET_EVENT_GO) {
		*action = TARGET_ACTION_RUN;
		return TARGET_RUNNING;
	}
	if (state == TARGET_LOADING || state == TARGET_READY)
		return step_open(state, event, action);
	if (event == TARGET_EVENT_QUESTION)
		*action = state == TARGET_RUNNING ? TARGET_ACTION_ANSWER_RUNNING : TARGET_ACTION_ANSWER_NEVER;
	return state;
}
