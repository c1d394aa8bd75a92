/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The handover of a machine from a source to a target, with everything that can break, for spin. The states have the
 * names that they have in vmm/migrate/handover.h; test/model/check runs all of this.
 *
 * What is shown, over all interleavings: the guest never runs on both sides. It is lost only if a process was killed
 * that held the only copy. A cancel that was accepted holds. Nothing is stuck in silence: when nobody can do anything
 * any more, the guest runs on exactly one side, or is paused on the source and the operator was told, or was lost by
 * such a kill.
 *
 * Policy: the surroundings are as bad as can be. What is sent arrives after any time, or not at all, and then nothing
 * behind it does: a cut, a close and a swallowed byte look the same from an end. A time limit fires at any moment. A
 * process may be killed before any of its steps. Each mutant leaves one rule out, and spin must find what it was for.
 *
 * With PATIENT the source's time limit fires only while nothing is on its way to it. That shows that the source acts on
 * all that it is told, and does not end undecided although the target's promise was there.
 */
#ifdef MUTANT_ABORT_NOT_HEARD
#define PATIENT
#endif
/*
 * With DISKS the guest has disks in files, whose lock all processes see. A side runs the guest only while it has the
 * lock, and somebody else may take it whenever it is free. Then even a `resume --force` without a look at the target
 * starts no second guest.
 */
#if defined(MUTANT_READY_WITHOUT_DISKS) || defined(MUTANT_RESUME_WITHOUT_DISKS) || defined(MUTANT_PROMISE_KEEPS_DISKS)
#define DISKS
#endif

#ifndef MIGRATIONS
#define MIGRATIONS 1 /* of the guest to the same target, each with an id of its own: the next after a failure */
#endif
#ifndef QUESTIONS
#define QUESTIONS 2 /* that the source asks in all, on a connection each */
#endif

mtype = { SOURCE_RUNNING, SOURCE_STOPPED, SOURCE_HANDED, SOURCE_UNDECIDED, SOURCE_DISKLESS, SOURCE_GONE };
mtype = { TARGET_LOADING, TARGET_READY, TARGET_RUNNING, TARGET_NEVER };
mtype = { HELLO, STATE, READY, GO, DONE, SETTLED, ABORT }; /* what lies between HELLO and STATE decides nothing */
mtype = { ANSWER_RUNNING, ANSWER_NEVER, ANSWER_UNKNOWN };
mtype = { GATE_NONE, GATE_OPEN, GATE_HANDED, GATE_CANCELLED }; /* may the operator cancel, or who came first */
mtype = { ORDER_RESUME, ORDER_FORCE }; /* of the operator, in SOURCE_UNDECIDED and SOURCE_DISKLESS */
mtype = { LOCK_FREE, LOCK_SOURCE, LOCK_TARGET, LOCK_OTHER }; /* who has the guest's disks */

mtype source = SOURCE_RUNNING;
mtype target = TARGET_NEVER; /* before the first HELLO there is nothing that could run */
mtype gate = GATE_NONE;
byte id; /* of the source's present migration */
#ifdef DISKS
mtype disks = LOCK_SOURCE;
byte disks_for; /* with LOCK_TARGET: the id of the migration */
#endif

chan to_target[MIGRATIONS] = [2] of { mtype };
chan to_source[MIGRATIONS] = [2] of { mtype };
bool lost_to_target[MIGRATIONS];
bool lost_to_source[MIGRATIONS];
chan question[QUESTIONS] = [1] of { byte };
chan answer[QUESTIONS] = [1] of { mtype };
chan order = [0] of { mtype, byte };
bool target_listens = true;
bool told; /* the operator knows that the guest is paused, and what to do */
/*
 * The target's time for GO is over. The target may find so at any moment, which needs no variable; but at the latest when
 * the source has waited for longer, from GO on, for that is after READY.
 */
bool go_too_late[MIGRATIONS];

/* What is so, though nobody may know it. */
bool source_alive = true;
bool target_alive = true;
bool source_killed; /* with the guest: it had not discarded it */
bool target_killed; /* with the guest: it ran there */
bool target_started; /* it ran there at some time */
bool cancel_accepted[MIGRATIONS];

#define SOURCE_RUNS (source_alive && source == SOURCE_RUNNING)
#define TARGET_RUNS (target_alive && target == TARGET_RUNNING)

inline send(queue, lost, message)
{
	atomic {
		if
		:: !lost -> queue!message
		:: lost = true
		fi
	}
}

/* ---- The source ---- */

/* The disks come back first; if somebody else has them the guest stays paused, and the operator is told. */
inline source_resume()
{
	atomic {
		gate = GATE_NONE;
#ifdef DISKS
		if
#ifdef MUTANT_RESUME_WITHOUT_DISKS
		:: source = SOURCE_RUNNING
#else
		:: disks == LOCK_FREE || disks == LOCK_SOURCE -> disks = LOCK_SOURCE; source = SOURCE_RUNNING
#endif
		:: disks == LOCK_TARGET || disks == LOCK_OTHER -> source = SOURCE_DISKLESS
		fi;
		told = source == SOURCE_DISKLESS;
		assert(source == SOURCE_DISKLESS || disks == LOCK_SOURCE);
#else
		source = SOURCE_RUNNING;
		told = false;
#endif
		assert(!SOURCE_RUNS || !TARGET_RUNS)
	}
}

/* One question on a connection of its own; a definite answer is acted upon. */
inline source_ask()
{
	atomic {
		questions++;
		if
		:: question[questions - 1]!id
		:: skip /* nobody can be reached */
		fi
	}
	if
	:: answer[questions - 1]?ANSWER_RUNNING -> goto gone
	:: answer[questions - 1]?ANSWER_NEVER -> goto promised
	:: answer[questions - 1]?ANSWER_UNKNOWN ->
#ifdef MUTANT_UNKNOWN_IS_NEVER
		goto promised
#else
		skip
#endif
	:: skip /* time limit */
	fi
}

active proctype Source() provided (source_alive)
{
	byte migrations;
	byte questions;

idle:
#ifdef DISKS
	do
	:: source == SOURCE_DISKLESS -> order?_, _; source_resume()
	:: source == SOURCE_RUNNING -> break
	od;
#endif
	if
	:: atomic {
		migrations < MIGRATIONS ->
		id = migrations;
		migrations++;
		gate = GATE_OPEN;
		send(to_target[id], lost_to_target[id], HELLO)
	}
	:: goto end
	fi;
	if
	:: atomic {
		source = SOURCE_STOPPED;
#ifdef DISKS
		disks = LOCK_FREE;
#endif
		send(to_target[id], lost_to_target[id], STATE)
	}
	:: gate = GATE_NONE; /* refused, broken, cancelled, too late: it never stood still */
	   goto idle
	fi;
	if
	:: to_source[id]?READY
	:: source_resume();
	   goto idle
	fi;
	if
#ifdef MUTANT_CANCEL_BETWEEN
	:: gate == GATE_OPEN -> gate = GATE_HANDED; source = SOURCE_HANDED
#else
	:: atomic { gate == GATE_OPEN -> gate = GATE_HANDED; source = SOURCE_HANDED }
#endif
	:: gate == GATE_CANCELLED ->
		source_resume();
		goto idle
	fi;
	send(to_target[id], lost_to_target[id], GO);
#ifdef MUTANT_GO_COUNTS_WHEN_WRITTEN
	if
	:: skip
	:: goto promised /* the write failed, but its bytes may be on their way */
	fi;
#endif
#ifdef MUTANT_GONE_WITHOUT_DONE
	goto gone;
#endif
	if
	:: to_source[id]?DONE -> goto gone
#ifndef MUTANT_ABORT_NOT_HEARD
	:: to_source[id]?ABORT -> goto promised
#endif
#ifdef PATIENT
	:: empty(to_source[id])
#else
	:: skip /* broken, time limit */
#endif
	fi;
#ifdef MUTANT_RESUME_AFTER_GO
	goto promised;
#endif
ask:
	do
	:: questions < QUESTIONS -> source_ask()
	:: break
	od;
	atomic {
#ifndef MUTANT_UNDECIDED_TOO_SOON
		go_too_late[id] = true;
#endif
		source = SOURCE_UNDECIDED;
#ifndef MUTANT_NOBODY_TOLD
		told = true
#endif
	}
	if
	:: atomic { order?ORDER_RESUME, _ -> source = SOURCE_HANDED; told = false } goto ask
	:: order?ORDER_FORCE, eval(id) -> goto forced
	fi;
promised:
#ifdef DISKS
	/* Who promises never to run it has given its disks back; a stream of before, come late, may have them. */
	assert(disks != LOCK_TARGET || disks_for != id);
#endif
forced:
	source_resume();
	goto idle;
gone:
	atomic {
		source = SOURCE_GONE;
		assert(target_started);
		send(to_target[id], lost_to_target[id], SETTLED)
	}
end:
	skip
}

/* ---- The target ---- */

/* The promise, and the word of it. One step, since to be killed in between is to lose that word. */
inline target_never()
{
	atomic {
		target = TARGET_NEVER;
#if defined(DISKS) && !defined(MUTANT_PROMISE_KEEPS_DISKS)
		if
		:: disks == LOCK_TARGET -> disks = LOCK_FREE
		:: disks != LOCK_TARGET
		fi;
#endif
		promised[mine] = true;
		send(to_source[mine], lost_to_source[mine], ABORT)
	}
}

inline target_run()
{
	atomic {
		target = TARGET_RUNNING;
		target_started = true;
#ifdef DISKS
		assert(disks == LOCK_TARGET);
#endif
		assert(!SOURCE_RUNS);
		assert(!cancel_accepted[mine])
	}
}

/* The question about a machine that could run is the decision that it never will, before the answer leaves. */
inline target_decide()
{
#ifdef MUTANT_PROMISE_NOT_KEPT
	skip
#else
	if
	:: target == TARGET_READY -> target_never()
	:: target == TARGET_LOADING
	fi
#endif
}

/* One step, since to be killed before the answer leaves is to lose it. An id of which it promised may be forgotten. */
inline target_answer()
{
	atomic {
		if
		:: question[0]?asked -> number = 0
#if QUESTIONS > 1
		:: question[1]?asked -> number = 1
#endif
#if QUESTIONS > 2
		:: question[2]?asked -> number = 2
#endif
		fi;
		if
		:: asked == mine && target == TARGET_RUNNING -> answer[number]!ANSWER_RUNNING
		:: asked == mine && (target == TARGET_READY || target == TARGET_LOADING) ->
			target_decide();
			answer[number]!ANSWER_NEVER
		:: promised[asked] -> answer[number]!ANSWER_NEVER
		:: target == TARGET_NEVER || asked != mine -> answer[number]!ANSWER_UNKNOWN
		fi;
		asked = 0;
		number = 0
	}
}

active proctype Target() provided (target_alive)
{
	byte mine; /* the id that came with HELLO */
	byte asked;
	byte number;
	bool promised[MIGRATIONS];

listening:
	do
	:: atomic { to_target[0]?HELLO -> mine = 0; target = TARGET_LOADING } break
#if MIGRATIONS > 1
	:: atomic { to_target[1]?HELLO -> mine = 1; target = TARGET_LOADING } break
#endif
	:: target_answer()
	od;
	if
	:: to_target[mine]?STATE
	:: atomic { target_never(); goto listening } /* refused, broken, time limit */
	fi;
#if defined(DISKS) && !defined(MUTANT_READY_WITHOUT_DISKS)
	if
	:: atomic { disks == LOCK_FREE -> disks = LOCK_TARGET; disks_for = mine }
	:: atomic { target_never(); goto listening } /* somebody else has them */
	fi;
#endif
#ifdef MUTANT_READY_BEFORE_ITS_STATE
	send(to_source[mine], lost_to_source[mine], READY);
	do
	:: target_answer()
	:: break
	od;
	target = TARGET_READY;
#else
	target = TARGET_READY;
	send(to_source[mine], lost_to_source[mine], READY);
#endif
#ifdef MUTANT_START_BEFORE_GO
	target_run();
	goto runs;
#endif
	do
#ifdef MUTANT_GO_TOO_LATE
	:: to_target[mine]?GO -> target_run(); break
#else
	/* One step: what the target needs for it is far shorter than the source waits longer than it. */
	:: atomic { !go_too_late[mine] && nempty(to_target[mine]) -> to_target[mine]?GO; target_run() } break
#endif
#ifdef MUTANT_ABORT_BEFORE_PROMISE
	:: send(to_source[mine], lost_to_source[mine], ABORT)
#endif
#ifdef MUTANT_GO_OF_ANOTHER_ID
	:: to_target[0]?GO -> target_run(); break
#endif
	:: target_answer();
#ifndef MUTANT_GO_AFTER_PROMISE
		if
		:: target == TARGET_NEVER -> goto listening
		:: target != TARGET_NEVER
		fi
#endif
	:: atomic { target_never(); goto listening } /* broken, time limit */
	od;
runs:
#ifdef MUTANT_ABORT_AFTER_GO
	if
	:: send(to_source[mine], lost_to_source[mine], DONE)
	:: send(to_source[mine], lost_to_source[mine], ABORT) /* there was no room for DONE, or it was forgotten */
	fi;
#else
	send(to_source[mine], lost_to_source[mine], DONE);
#endif
	do
	:: to_target[mine]?SETTLED -> break
	:: target_answer()
	:: break /* long after */
	od;
	target_listens = false
}

/* ---- Everybody else ---- */

/* Another `seaclock receive` at the address of a target that is no more, or listens no more. */
active proctype Stranger()
{
end:
	do
	:: atomic { (!target_alive || !target_listens) && nempty(question[0]) -> question[0]?_; answer[0]!ANSWER_UNKNOWN }
#if QUESTIONS > 1
	:: atomic { (!target_alive || !target_listens) && nempty(question[1]) -> question[1]?_; answer[1]!ANSWER_UNKNOWN }
#endif
#if QUESTIONS > 2
	:: atomic { (!target_alive || !target_listens) && nempty(question[2]) -> question[2]?_; answer[2]!ANSWER_UNKNOWN }
#endif
	od
}

/*
 * `resume --force` only after the operator has made sure that the guest does not run on the target. One look is enough:
 * the source is undecided only when it is too late for GO. What was found is about one migration.
 */
#if defined(MUTANT_FORCE_UNCHECKED) || defined(DISKS)
#define MAY_FORCE true
#else
#define MAY_FORCE (!TARGET_RUNS)
#endif

active proctype Operator()
{
	byte about;

	do
	:: atomic { gate == GATE_OPEN -> gate = GATE_CANCELLED; cancel_accepted[id] = true }
	:: source == SOURCE_UNDECIDED -> order!ORDER_RESUME, id
	:: atomic { source == SOURCE_UNDECIDED && MAY_FORCE -> about = id }
	   order!ORDER_FORCE, about
	:: source == SOURCE_DISKLESS -> order!ORDER_RESUME, id
	:: break
	od
}

#ifdef DISKS
/* Somebody who uses the disks while nobody has them, once; and the end of a process, which gives them back. */
active proctype Other()
{
	bool came;

	do
	:: atomic { !came && disks == LOCK_FREE -> disks = LOCK_OTHER; came = true }
	:: disks == LOCK_OTHER -> disks = LOCK_FREE
	:: atomic { !target_alive && disks == LOCK_TARGET -> disks = LOCK_FREE }
	:: break
	od
}
#endif

active proctype Killer()
{
	do
	:: atomic { source_alive -> source_alive = false; source_killed = source != SOURCE_GONE }
	:: atomic { target_alive -> target_alive = false; target_killed = target == TARGET_RUNNING }
	:: break
	od
}

/* Looks at the end of every course of events. */
active proctype Judge()
{
	bool lost_by_kill;

	timeout;
	lost_by_kill = (source_killed && !target_started) || (target_killed && (source_killed || source == SOURCE_GONE));
	assert(SOURCE_RUNS || TARGET_RUNS || lost_by_kill ||
		(source_alive && (source == SOURCE_UNDECIDED || source == SOURCE_DISKLESS) && told))
}
