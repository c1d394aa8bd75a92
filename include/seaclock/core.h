/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The core: guest time itself. Rates, the reference clock and its page, synthetic timers, register hypercalls, the
 * clock handoff of a migration, and the record that carries all of it.
 *
 * Policy: pure. No I/O, no allocation, no globals, no locks, integer arithmetic only, no 128-bit division (Linux
 * modules have none). The caller owns every structure, passes the time as an argument and carries out what is returned.
 * Functions return 0 or -SC_E*. Two calls may run at the same time unless they share a structure that one of them
 * changes: then the caller has a lock. Only the page and message slots may be in use by running vCPUs meanwhile.
 */
#ifndef SEACLOCK_CORE_H
#define SEACLOCK_CORE_H

#include <seaclock/abi.h>
#ifdef __KERNEL__
#include <linux/stddef.h>
#else
#include <stdbool.h>
#include <stddef.h>
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* Errors; functions return them negated. */
#define SC_E_RATE 1    /* the counter's rate is outside SC_RATE_MIN_HZ..SC_RATE_MAX_HZ */
#define SC_E_SHORT 2   /* the buffer or record ends before its contents */
#define SC_E_VERSION 3 /* a record of a version that this code does not know */
#define SC_E_VALUE 4   /* a record holds a value that no running machine can have */
#define SC_E_NO_DATA 5 /* not enough time stamps for a result */

/* Units. Single-member structures, so that they cannot be mixed up. */
typedef struct {
	uint64_t v;
} sc_ticks_t; /* ticks of a counter */
typedef struct {
	uint64_t v;
} sc_ref_t; /* reference time, units of 100 ns */
typedef struct {
	uint64_t v;
} sc_ns_t; /* nanoseconds */

static inline sc_ticks_t sc_ticks(uint64_t v)
{
	return (sc_ticks_t){ v };
}

static inline sc_ref_t sc_ref(uint64_t v)
{
	return (sc_ref_t){ v };
}

static inline sc_ns_t sc_ns(uint64_t v)
{
	return (sc_ns_t){ v };
}

/* ---- Rates (core/rate.c) ---- */

#define SC_RATE_MIN_HZ 1000000u
#define SC_RATE_MAX_HZ 2000000000u

/* floor(a * b / divisor) of the 128-bit product; UINT64_MAX when the quotient does not fit. divisor > 0. */
uint64_t sc_muldiv(uint64_t a, uint64_t b, uint64_t divisor);

/*
 * The 0.64 fixed-point scale of a counter: floor(2^64 * 10^7 / hz). Only for hz > SC_REF_HZ; 0 otherwise, for then the
 * scale does not fit and there can be no page (TLFS, reference TSC page).
 */
uint64_t sc_rate_scale(uint32_t hz);

/* Ticks of a counter as ns and back, rounded down, saturating at UINT64_MAX. hz > 0. */
sc_ns_t sc_rate_ticks_to_ns(uint32_t hz, sc_ticks_t ticks);
sc_ticks_t sc_rate_ns_to_ticks(uint32_t hz, sc_ns_t ns);

/*
 * Where an architectural timer's compare value lies after its counter went on from `from` at hz_from to `to` at hz_to,
 * so that it fires at the same instant: an expired timer stays expired, a distant one saturates at UINT64_MAX. Rounded
 * up: never early.
 */
sc_ticks_t sc_rate_convert_deadline(sc_ticks_t deadline, sc_ticks_t from, uint32_t hz_from, sc_ticks_t to,
				    uint32_t hz_to);

/* ---- Reference clock (core/clock.c) ---- */

/*
 * Reference time as a function of the counter. R is below its exact value by less than 1 + counter / 2^64 units, plus
 * one unit per rebase, one-sided; only sc_clock_set and a rebase without a gap (less than two units) may put it up to
 * one unit higher instead, two on a counter without a page, because R never goes back, not by the fraction of a unit.
 * At hz <= SC_REF_HZ the scale is 0, there is no page, and R comes from an exact division.
 */
struct sc_clock {
	uint32_t hz;
	uint64_t scale;
	int64_t offset;
};

/* From now on, reference time is `at` when the counter, ticking at hz, reads `counter`. -SC_E_RATE on a bad rate. */
int sc_clock_set(struct sc_clock *clock, uint32_t hz, sc_ticks_t counter, sc_ref_t at);

sc_ref_t sc_clock_read(const struct sc_clock *clock, sc_ticks_t counter);

/* The time from `from` until `to`, 0 if it is past; saturating. */
sc_ns_t sc_ref_until(sc_ref_t from, sc_ref_t to);

/* ---- Reference TSC page, writer's side (core/page.c); the reader is <seaclock/page.h> ---- */

/* The sequence that follows: never 0, never all ones (TLFS leaves doubt about both). */
uint32_t sc_page_next_sequence(uint32_t sequence);

/*
 * Writes the clock into the page, in an order that a concurrent reader survives: invalid first, new sequence last. With
 * a clock that can have no page it only marks the page invalid. `page` is 8-byte aligned, in guest memory.
 */
void sc_page_write(struct sc_reference_tsc_page *page, const struct sc_clock *clock, uint32_t sequence);
void sc_page_invalidate(struct sc_reference_tsc_page *page);

/* ---- Synthetic timers (core/stimer.c) ---- */

/*
 * One synthetic timer. `armed`: `due` is the next expiry. `pending`: an expiry, that of `expired`, is not yet
 * delivered; further expiries of a periodic timer coalesce with it meanwhile. `asserted`: the interrupt line is held
 * high until the next write (see doc/abi.md). Of a periodic timer, deliveries plus `coalesced` plus the pending one are
 * the periods that had passed since it was last written when it last expired. A period below SC_STIMER_PERIOD_MIN
 * expires at the smallest multiple of itself that is not; the periods between coalesce.
 */
struct sc_stimer {
	uint64_t config;
	uint64_t count;
	sc_ref_t due;
	sc_ref_t expired;   /* while pending: when the oldest expiry that is not delivered was due; else 0 */
	uint64_t coalesced; /* expiries that had no delivery of their own */
	bool armed;
	bool pending;
	bool asserted;
};

/* Guest writes, at reference time now. The interrupt line, if asserted, is to be lowered after either. */
void sc_stimer_set_config(struct sc_stimer *timer, uint64_t config, sc_ref_t now);
void sc_stimer_set_count(struct sc_stimer *timer, uint64_t count, sc_ref_t now);

/* True, and marks the expiry pending, if the timer is due at now. Never early: only with now >= due. */
bool sc_stimer_expire(struct sc_stimer *timer, sc_ref_t now);

/* A pending expiry has reached the guest: as a level that stays asserted, or as an edge or message. */
void sc_stimer_delivered(struct sc_stimer *timer, bool asserted);

/* The same where the guest has not yet taken the interrupt of an earlier expiry: it sees one interrupt for both. */
void sc_stimer_merged(struct sc_stimer *timer);

/* The INTID of a direct timer. */
static inline uint32_t sc_stimer_intid(const struct sc_stimer *timer)
{
	return (uint32_t)(timer->config >> SC_STIMER_INTID_SHIFT & SC_STIMER_INTID_MASK);
}

/* ---- The partition: one guest's time (core/partition.c) ---- */

#define SC_VCPU_MAX 8u

/* The registers of a synthetic interrupt controller as written (core/synic.c). No events: SIEFP is kept, no more. */
struct sc_synic {
	uint64_t control;
	uint64_t siefp;
	uint64_t simp;
	uint64_t sint[SC_SINT_COUNT];
};

struct sc_vcpu {
	struct sc_stimer timer[SC_STIMER_COUNT];
	struct sc_synic synic;
};

struct sc_partition {
	struct sc_clock clock;
	uint32_t vcpu_count;
	uint32_t page_sequence; /* to write the page with; enabling and going on advance it, it survives disabling */
	uint64_t guest_os_id;
	uint64_t reference_tsc; /* SC_REG_REFERENCE_TSC as written */
	uint64_t guest_clock;	/* SC_REG_GUEST_CLOCK */
	uint64_t asked;		/* SC_ASK_*, as SC_REG_MIGRATION shows it */
	bool held;		/* a vCPU's read of SC_REG_HOLD waits for its answer */
	uint32_t holder;	/* which */
	uint64_t crash[5];
	uint64_t crash_ctl;
	struct sc_vcpu vcpu[SC_VCPU_MAX];
};

/* A new machine: reference time is 0 when the counter, ticking at hz, reads `counter`. -SC_E_RATE, -SC_E_VALUE (vCPUs).
 */
int sc_partition_init(struct sc_partition *partition, uint32_t vcpu_count, uint32_t hz, sc_ticks_t counter);

/*
 * The guest's machine is reset in place: its registers, timers, requests and holds are as after sc_partition_init().
 * Reference time goes on, and so does the page's sequence, so that a page which is enabled next is a new one.
 */
void sc_partition_reset(struct sc_partition *partition);

/*
 * The earliest expiry of any armed timer that would make a difference to the guest: not of one that is pending already
 * or whose line is asserted. False, and nothing in *deadline, if none.
 */
bool sc_partition_deadline(const struct sc_partition *partition, sc_ref_t *deadline);

/* Marks every timer that is due at the counter's value as pending; true if any timer of any vCPU is pending now. */
bool sc_partition_expire(struct sc_partition *partition, sc_ticks_t counter);

/* Where a pending expiry goes: an interrupt, or a message and then an interrupt unless the guest polls. */
struct sc_delivery {
	uint32_t vp;
	uint32_t timer;
	bool message;
	bool interrupt;
	uint32_t intid;	   /* if `interrupt`: a private peripheral interrupt of vCPU vp, as an edge */
	uint64_t slot_gpa; /* if `message`: struct sc_message in guest memory, on a boundary of its size */
};

/*
 * The next pending expiry that the guest may have now, from *cursor on; *cursor is 0 before the first call. False at
 * the end. Messages whose SynIC or SINT is off or masked are passed over: they wait until that changes. Missed periods
 * coalesce if the caller calls sc_partition_expire first; sc_stimer_delivered or sc_stimer_merged ends the delivery.
 */
bool sc_partition_pending(const struct sc_partition *partition, uint32_t *cursor, struct sc_delivery *delivery);

/* ---- Messages (core/message.c) ---- */

/* The message for a pending expiry, delivered at reference time now. */
void sc_message_fill(struct sc_message *message, const struct sc_partition *partition,
		     const struct sc_delivery *delivery, sc_ref_t now);

/*
 * True if a slot of the guest's message page is free. If not, it now says that a message waits, which obliges the guest
 * to write EOM once it has freed it (SC_EFFECT_SYNIC): then try again. The guest may free it at the same time: either
 * this returns true or the guest finds the flag. The caller has written to the slot when this returns false.
 */
bool sc_message_slot_free(struct sc_message *slot);

/* Puts a message into a free slot; a guest that looks meanwhile sees the slot free or the whole message. */
void sc_message_place(struct sc_message *slot, const struct sc_message *message);

/* ---- What a guest can follow (core/follow.c) ---- */

/* How far a guest follows a change of rate (doc/design.md). */
enum sc_level {
	SC_LEVEL_NONE = 0,	   /* only the architectural counter */
	SC_LEVEL_TRANSPARENT = 20, /* the same, but its monitor repairs its kernel (seaclock/repair.h) */
	SC_LEVEL_REFERENCE = 40, /* its clock is on the page and every running vCPU's timer is a direct synthetic one */
	SC_LEVEL_COOPERATIVE = 60, /* it does what it is asked before a move, and repairs the rest in the hold */
};

/* True if a number that has travelled is one of these. */
static inline bool sc_level_is_known(uint32_t number)
{
	return number == SC_LEVEL_NONE || number == SC_LEVEL_TRANSPARENT || number == SC_LEVEL_REFERENCE ||
	       number == SC_LEVEL_COOPERATIVE;
}

/* What keeps a guest at SC_LEVEL_NONE. */
enum sc_obstacle {
	SC_OBSTACLE_NONE,
	SC_OBSTACLE_NO_PAGE, /* no driver has declared anything, and there is no page that a clock could be on */
	SC_OBSTACLE_SLOW,    /* nothing is declared, and on so slow a counter the page is invalid and tells nothing */
	SC_OBSTACLE_OTHER,   /* its driver declares a clock that is neither the page nor the raw counter */
	SC_OBSTACLE_RAW,     /* its clock is the raw counter, and it has not prepared or cannot be asked to */
	SC_OBSTACLE_TIMER,   /* a vCPU that is on has no direct timer */
};

struct sc_follow {
	enum sc_level level;
	bool on_page;  /* its clock is on the page, as declared or inferred */
	bool inferred; /* from the page alone: its driver declares nothing, and nobody outside can see what clock is
			  used */
	enum sc_obstacle obstacle;
	uint32_t vp; /* SC_OBSTACLE_TIMER: the first such vCPU; else 0 */
};

/* How a guest is moved. */
enum sc_move {
	SC_MOVE_ASKED,	   /* it can be asked first */
	SC_MOVE_AS_STANDS, /* cooperative only in a hold, none while its clock is the raw counter */
};

/* `online`: bit n set if vCPU n is powered on; with 0, what the clock alone allows. Never SC_LEVEL_TRANSPARENT. */
struct sc_follow sc_partition_follow(const struct sc_partition *partition, uint32_t online, enum sc_move move);

/* ---- Prepare and hold (core/hold.c) ---- */

/* Asks SC_ASK_* of the guest; true if it is to be told so by an edge on SC_MIGRATION_INTID, because that is new. */
bool sc_hold_ask(struct sc_partition *partition, uint64_t asked);

/* The registers of a vCPU whose read of SC_REG_HOLD returns. */
#define SC_HOLD_OUTPUT_REGISTER 6u

struct sc_hold_answer {
	uint32_t vp;
	uint64_t result;   /* for X0 */
	uint64_t value[2]; /* for X6 and X7 */
};

/*
 * Ends a hold by SC_HOLD_*, and asks nothing any more. False if there is none: then only the latter. What it answers is
 * true at the partition's rate as it is now.
 */
bool sc_hold_end(struct sc_partition *partition, uint64_t outcome, struct sc_hold_answer *answer);

/* ---- Migration of a clock (core/resume.c) ---- */

enum sc_clock_policy {
	SC_CLOCK_ADVANCE, /* guest time counts the gap */
	SC_CLOCK_FREEZE,  /* guest time stops with the vCPUs */
};

/* Guest time when its vCPUs stopped. */
struct sc_stop_point {
	uint32_t hz;
	sc_ticks_t counter; /* the guest's */
	sc_ref_t reference;
};

struct sc_stop_point sc_partition_stop(const struct sc_partition *partition, sc_ticks_t counter);

/*
 * Guest time goes on `gap` after the stop point on a counter of rate hz. Returns in *counter what the guest's counter
 * must read at that moment, and rebases the clock and its page sequence. Under SC_CLOCK_FREEZE the gap counts as 0.
 * Neither the counter nor R ever goes back. -SC_E_RATE.
 */
int sc_partition_resume(struct sc_partition *partition, const struct sc_stop_point *stop, uint32_t hz,
			enum sc_clock_policy policy, sc_ns_t gap, sc_ticks_t *counter);

/* ---- Register hypercalls (core/hypercall.c) ---- */

/* A hypercall taken apart; lengths in bytes. In the fast form input is in registers, 16 bytes per pair. */
struct sc_call {
	uint64_t control;
	bool native; /* by HVC #1 */
	bool fast;
	uint64_t input_gpa;  /* memory form */
	uint64_t output_gpa; /* memory form */
	size_t input_size;   /* the header and the whole list, also what is before rep start */
	size_t output_size;  /* from rep start on; output_gpa points there */
	uint32_t reps;	     /* repetitions from rep start to rep count */
};

#define SC_CALL_BLOCK_MAX 128u /* bytes of registers: X2..X17, by HVC #1 X1..X16 */
#define SC_CALL_PAGE_MAX 4096u

/* What a hypercall asks of the caller, a set of bits. */
#define SC_EFFECT_TIMER 0x01u	    /* a timer of this vCPU was written: deadlines changed, asserted lines fall */
#define SC_EFFECT_PAGE 0x02u	    /* the reference TSC page was enabled, moved or disabled */
#define SC_EFFECT_CRASH 0x04u	    /* the guest reports a crash */
#define SC_EFFECT_GUEST_CLOCK 0x08u /* the guest's declaration changed */
#define SC_EFFECT_SYNIC 0x10u /* this vCPU's SynIC was written, EOM included: messages that wait may have a place */
#define SC_EFFECT_HOLD 0x20u  /* the call has no result yet: the vCPU waits until sc_hold_end() */

struct sc_call_outcome {
	uint64_t result;	   /* for X0 */
	size_t output_size;	   /* bytes of output that are valid: completed repetitions only */
	uint32_t effects;	   /* SC_EFFECT_* */
	const char *refused;	   /* why a register was refused, one clause for a log; NULL if none was */
	uint32_t refused_register; /* meaningful if `refused` names a register's refusal; 0 if the header was refused */
};

/*
 * Takes the control word and the two registers behind it apart (X1, X2, X3 of HVC #0). Returns an SC_HV_* status; if it
 * is not SC_HV_SUCCESS the call is over and the status is the result.
 */
uint64_t sc_call_decode(uint64_t control, uint64_t x2, uint64_t x3, struct sc_call *call);

/*
 * The same of X0..X3 as they were at the HVC. X0 tells the two conventions apart, for KVM does not tell the immediate:
 * the SMCCC function is HVC #0, anything else the control word of HVC #1, with the rest one register lower.
 */
uint64_t sc_call_decode_registers(const uint64_t x[4], struct sc_call *call);

/* The register that the input of a fast call begins in, as n of Xn. */
uint32_t sc_call_input_register(const struct sc_call *call);

/*
 * Whether sc_call_run() looks at word n of the input, 8 bytes each: not at padding, the upper half of a value or
 * repetitions before rep start, so that the caller need not fetch them. n < input_size / 8, rounded up.
 */
bool sc_call_input_is_used(const struct sc_call *call, uint32_t n);

/*
 * The register that the output of a fast call goes to, as n of Xn, past the repetitions before rep start. By HVC #0 it
 * follows the input rounded up to a pair of registers, by HVC #1 it ends in X16 (what guests read, against the text of
 * the TLFS: see doc/abi.md).
 */
uint32_t sc_call_output_register(const struct sc_call *call);

/*
 * Carries the call out for vCPU `vp`. `input` holds call->input_size bytes, `output` has room for call->output_size;
 * both 8-byte aligned and private to the caller (a copy, so that the guest cannot change it meanwhile).
 */
void sc_call_run(struct sc_partition *partition, uint32_t vp, const struct sc_call *call, const void *input,
		 void *output, sc_ticks_t counter, struct sc_call_outcome *outcome);

/* ---- Statements (core/statement.c) ---- */

#define SC_STATEMENT_UNKNOWN (~(uint64_t)0)

/* What a host says of its clocks at one moment. Statements may come from a hostile peer or a damaged file. */
struct sc_statement {
	sc_ns_t counter;   /* the raw counter at its stated rate */
	sc_ns_t realtime;  /* CLOCK_REALTIME, since 1970 */
	uint64_t error_ns; /* UTC is within this of `realtime`; SC_STATEMENT_UNKNOWN: the host is not synchronised */
};

/*
 * A statement from CLOCK_REALTIME read between two readings of the counter, ticking at hz, and the clock's own largest
 * error, or SC_STATEMENT_UNKNOWN. The width of the bracket and the counter's tick add to the error. -SC_E_VALUE if the
 * readings run backwards or the result is not valid.
 */
int sc_statement_make(struct sc_statement *statement, uint32_t hz, sc_ns_t before, sc_ns_t realtime, sc_ns_t after,
		      uint64_t max_error_ns);

/* False for what no host states: a counter beyond 2^61 ns, a time beyond 2^62 ns, an error beyond an hour. */
bool sc_statement_is_valid(const struct sc_statement *statement);

/*
 * Target counter minus source counter at one moment of UTC, by a statement of each, and the bound of its error:
 * SC_STATEMENT_UNKNOWN if one of them does not know its own. The drift of the counters between the two statements is
 * not in it. -SC_E_VALUE if one is not valid.
 */
int sc_statement_difference(const struct sc_statement *source, const struct sc_statement *target,
			    int64_t *difference_ns, uint64_t *bound_ns);

/* ---- Clock handoff (core/offset.c) ---- */

/* Each host's stated rate may be wrong by p = this much; a bound that is `age` old widens by age * 2p / (1 - p). */
#define SC_OFFSET_DRIFT_PPM 100u

/* A time stamp: sent and returned by the source's clock, received and answered by the target's. */
struct sc_stamp {
	sc_ns_t sent;
	sc_ns_t received;
	sc_ns_t answered;
	sc_ns_t returned;
};

/* An interval that contains d = target clock - source clock at source time `at`. */
struct sc_interval {
	sc_ns_t at;
	int64_t low_ns;
	int64_t high_ns;
};

/*
 * What is known of d, both clocks in ns of the hosts' raw counters at their stated rates. Bounds age: they widen by the
 * drift allowance from the source time at which they were true.
 */
struct sc_offset {
	uint64_t source_lag_ns; /* a reading is at most this much less than the clock it is taken from: about a tick */
	uint64_t target_lag_ns;
	uint32_t stamps;
	int64_t low_ns; /* the tightest bounds, each with its own age */
	int64_t high_ns;
	sc_ns_t low_at; /* source clock */
	sc_ns_t high_at;
	uint64_t best_round_trip_ns;  /* of the stamp whose half round trip, aged, is the smallest */
	sc_ns_t best_at;	      /* when it was sent */
	bool stated;		      /* `statement` counts */
	struct sc_interval statement; /* by both hosts' statements */
	struct sc_interval first;     /* stamps far apart, for the rate */
	struct sc_interval last;
};

/* Before the first stamp. Both rates are from SC_RATE_MIN_HZ to SC_RATE_MAX_HZ. */
void sc_offset_init(struct sc_offset *handoff, uint32_t source_hz, uint32_t target_hz);

/*
 * Adds a stamp; it may come from a hostile peer. -SC_E_VALUE, and nothing changes, if its times run backwards on either
 * side, lie beyond 2^62 ns, or say that the target held the message for longer than it was away. A stamp that excludes
 * all that was known by stamps (a counter was stepped) starts anew, without the statements.
 */
int sc_offset_add(struct sc_offset *handoff, const struct sc_stamp *stamp);

/*
 * Both hosts' statements, in place of earlier ones. They count if both know their error; the source's is taken from the
 * clock that the stamps are sent by. -SC_E_VALUE if one is not valid; then, too, earlier ones no longer count.
 */
int sc_offset_state(struct sc_offset *handoff, const struct sc_statement *source, const struct sc_statement *target);

/* What the statements did to the result. */
enum sc_stated {
	SC_STATED_NOTHING,  /* not both hosts know how well they are synchronised */
	SC_STATED_LOOSER,   /* the stamps alone are as good */
	SC_STATED_TIGHTER,  /* they made the interval smaller */
	SC_STATED_EXCLUDED, /* no d satisfies both, so they are wrong: the stamps are bounds, and count alone */
};

struct sc_offset_result {
	int64_t middle_ns;
	uint64_t half_width_ns;
	uint64_t round_trip_ns; /* of the best stamp, and its age */
	uint64_t age_ns;
	enum sc_stated stated;
};

/*
 * At source time now: the middle of the interval and half its width, rounded up. The half width is at most half the
 * round trip of the best stamp, plus the drift allowance times its age, plus half of each counter's tick, plus 3 ns.
 * -SC_E_NO_DATA without stamps.
 */
int sc_offset_result(const struct sc_offset *handoff, sc_ns_t now, struct sc_offset_result *result);

/*
 * The guest's clock has gone on at source time `started`, as reckoned with difference_ns for d: how far the gap that it
 * counted may be from the truth, 1 ns for whole ns included. The reckoning may be wrong about the moment, too, so the
 * result is that of the latest possible one. SC_OFFSET_UNKNOWN without stamps.
 */
uint64_t sc_offset_bound(const struct sc_offset *handoff, sc_ns_t started, int64_t difference_ns,
			 struct sc_offset_result *result);

#define SC_OFFSET_UNKNOWN (~(uint64_t)0)

/* How much faster the target's clock runs than the source's, in parts per 10^9, and how far that may be off. */
struct sc_offset_rate {
	int64_t ppb;
	uint64_t bound_ppb;
};

/* -SC_E_NO_DATA until the stamps lie far enough apart to tell the rate to 1000 ppm. */
int sc_offset_rate(const struct sc_offset *handoff, struct sc_offset_rate *rate);

/* ---- Record (core/record.c) ---- */

#define SC_RECORD_MAX 4096u

/*
 * The whole clock and timer state, with the point where it stopped, as bytes: little-endian, versioned. Save returns
 * the length in *size, -SC_E_SHORT if `capacity` is too small, -SC_E_VALUE if *stop is not a point of the partition's
 * clock. Load takes any bytes: it checks everything and leaves
 * *partition and *stop alone on an error (-SC_E_SHORT, -SC_E_VERSION, -SC_E_VALUE).
 */
int sc_record_save(const struct sc_partition *partition, const struct sc_stop_point *stop, void *buffer,
		   size_t capacity, size_t *size);
int sc_record_load(const void *buffer, size_t size, struct sc_partition *partition, struct sc_stop_point *stop);

#ifdef __cplusplus
}
#endif

#endif
