/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The conformance suite: what a guest may expect of the interface, as tables that run wherever there is a port.
 *
 * Policy: a case is a script of register accesses, waits and expected interrupts, or a function for what no script
 * says. Cases know nothing of the machine below: a port makes the calls and lets time pass, for real in a bare guest or
 * simulated beside the core in a unit test. Every case starts from the same state, and ends: each wait has a limit.
 * Freestanding C.
 */
#ifndef TEST_CONFORMANCE_H
#define TEST_CONFORMANCE_H

#include <seaclock/guest.h>

#ifdef __KERNEL__
#include <linux/limits.h>
#define UINT32_MAX U32_MAX
#define UINT64_MAX U64_MAX
#endif

/* Reference time. */
#define MS 10000ull
#define SECOND 10000000ull

/* ---- The port: what a case runs on ---- */

struct port_call {
	enum sc_guest_convention convention;
	uint64_t control;
	uint64_t block[SC_GUEST_BLOCK]; /* in and out, as sc_guest_call has it */
	uint64_t result;
};

/* Pages that the guest gives to the hypervisor, and those that calls in memory form use: adjacent, in this order. */
enum port_page {
	PAGE_CLOCK,
	PAGE_CLOCK_MOVED,
	PAGE_MESSAGES,
	PAGE_INPUT,
	PAGE_OUTPUT,
	PAGE_OUTPUT_END,
	PAGES
};

void port_call(struct port_call *call);
void *port_memory(enum port_page page);
uint64_t port_gpa(enum port_page page);
uint64_t port_gpa_nowhere(void); /* of a page that is not RAM */

uint64_t port_counter(void); /* what the page scales, and its rate */
uint64_t port_counter_hz(void);

/* Lets time pass until reference time `until`; false if the case's limit has passed first. */
bool port_wait(uint64_t until);

/* The calling vCPU's: number, interrupts taken since the start, reference time when the handler of the last one ran. */
uint32_t port_vcpu(void);
uint32_t port_interrupts(uint32_t intid);
uint64_t port_interrupt_time(uint32_t intid);
void port_mask(bool masked);

/* Runs work(argument) on vCPU 1, and meanwhile also work_here if that is not NULL; false if a limit has passed. */
bool port_on_other(void (*work)(void *argument), void (*work_here)(void *argument), void *argument);
uint32_t port_vcpus(void);

/* Asks to be migrated to another counter rate and returns behind it; false if that did not happen in time. */
bool port_migrate(void);

/* A new case begins: its limit counts from now. */
void port_case_begin(uint64_t limit_us);

/* ---- Cases ---- */

enum need {
	NEED_CLOCK = 0x01,   /* the reference counter */
	NEED_PAGE = 0x02,    /* the reference TSC page, on a counter that can have one */
	NEED_DIRECT = 0x04,  /* timers in direct mode, and an interrupt controller to see them */
	NEED_SYNIC = 0x08,   /* timer messages */
	NEED_POLLING = 0x10, /* SINTs that are polled */
	NEED_VCPUS = 0x20,   /* a second vCPU */
	NEED_MIGRATION = 0x40,
	NEED_SEACLOCK = 0x80, /* a choice of Seaclock's (doc/abi.md): not held against other hypervisors */
	NEED_CRASH = 0x100,
	NEED_CALLS = 0x200, /* register hypercalls: of every case */
};

enum operation {
	STEP_END,
	STEP_SET,	 /* register = value: the status is `status` */
	STEP_GET,	 /* register: the status is `status`; if success, its bits in `mask` are `value` */
	STEP_ARM,	 /* Count of timer `index` = now + value */
	STEP_WAIT,	 /* value units pass */
	STEP_FIRES,	 /* `value` more interrupts `index` come within STEP_LIMIT, and then no further one */
	STEP_TICKS,	 /* at least `value` more come within STEP_LIMIT */
	STEP_SILENT,	 /* no more interrupt `index` comes within value units */
	STEP_NOT_EARLY,	 /* the last interrupt `index` came when Count, as of the last STEP_ARM, had been reached */
	STEP_MASK,	 /* interrupts of this vCPU are masked (value 1) or not */
	STEP_CALL,	 /* the call described by `shape`: the status is `status` */
	STEP_MESSAGE,	 /* slot `index` has a timer message of timer `value` within STEP_LIMIT; it stays there */
	STEP_NO_MESSAGE, /* slot `index` stays empty for value units */
	STEP_WAITING,	 /* slot `index` says within STEP_LIMIT that another message waits */
	STEP_FREE,	 /* slot `index` is freed; EOM is not written */
	STEP_SIMP,	 /* SIMP = the message page, with the bits of `value` */
	STEP_MIGRATE,
};

#define STEP_LIMIT (20 * SECOND)
#define STEP_SETTLE (30 * MS)

/* A hypercall that is not of the ordinary form. Fields that are 0 are as in an ordinary GET of one register. */
struct shape {
	uint64_t control;
	uint64_t partition; /* exclusive or with "this one" */
	uint32_t vp;	    /* the same */
	uint8_t vtl;
	uint32_t name;
	bool memory;	    /* addresses in the block instead of the input: */
	uint32_t input_at;  /* offset from the start of PAGE_INPUT */
	uint32_t output_at; /* the same of PAGE_OUTPUT; */
	bool overlap;	    /* of PAGE_INPUT instead */
	bool input_nowhere;
	bool output_nowhere;
};

struct step {
	enum operation operation;
	uint32_t index;
	uint64_t value;
	uint64_t mask;
	uint32_t status;
	const struct shape *shape;
};

/* What is known of a case while it runs. */
struct trial {
	const struct conformance_case *test;
	enum sc_guest_convention convention;
	uint32_t interrupts[32]; /* seen by the steps so far */
	uint64_t due;
	bool passed;
	/* Of the failure: which step, what was seen, what was expected. */
	uint32_t step;
	uint64_t seen;
	uint64_t expected;
};

struct conformance_case {
	const char *name;
	const char *clause;  /* where the rule stands */
	const char *expects; /* one line */
	uint32_t needs;	     /* NEED_* */
	bool other_vcpu;     /* runs on vCPU 1 */
	bool untouched;	     /* nothing is written before it: only the first cases can have this */
	const struct step *steps;
	bool (*run)(struct trial *trial);
};

struct conformance_table {
	const struct conformance_case *cases;
	uint32_t count;
};

extern const struct conformance_table conformance_reset, conformance_registers, conformance_calls, conformance_clock,
	conformance_stimer, conformance_direct, conformance_synic, conformance_migration;

/* ---- Running (run.c) ---- */

enum conformance_result {
	CONFORMANCE_PASS,
	CONFORMANCE_FAIL,
	CONFORMANCE_SKIP
};

/*
 * What the machine offers, as NEED_* bits: what the hypervisor says of itself, and whether the port can see interrupts
 * and be migrated. 0: no hypervisor answers in this convention.
 */
uint32_t conformance_offers(enum sc_guest_convention convention, bool interrupts, bool migrations);

enum conformance_result conformance_run(struct trial *trial, enum sc_guest_convention convention,
					const struct conformance_case *test, uint32_t offers);

/* True for cases of calls and registers, which are worth another run in the second convention: behind both are the
 * same. */
bool conformance_is_call(const struct conformance_case *test);

void conformance_each(void (*visit)(const struct conformance_case *test, void *argument), void *argument);

/* ---- For cases that are functions ---- */

/* Notes what was seen; false if it is not what was expected. */
bool expect(struct trial *trial, uint64_t seen, uint64_t expected);
bool expect_true(struct trial *trial, bool condition, uint64_t seen);

uint64_t trial_now(const struct trial *trial);
bool trial_set(struct trial *trial, uint32_t name, uint64_t value); /* expects success */
uint64_t trial_get(struct trial *trial, uint32_t name);		    /* UINT64_MAX if it fails */
bool trial_steps(struct trial *trial, const struct step *steps);
struct sc_message *trial_slot(uint32_t sint);

/* ---- How scripts are written ---- */

#define CONFIG(n) (SC_REG_STIMER0_CONFIG + 2 * (n))
#define COUNT(n) (SC_REG_STIMER0_COUNT + 2 * (n))
#define SINT(n) (SC_REG_SINT0 + (n))
#define AIM(intid) (SC_STIMER_DIRECT | (uint64_t)(intid) << SC_STIMER_INTID_SHIFT)
#define POST(sint) ((uint64_t)(sint) << SC_STIMER_SINT_SHIFT)
#define ON SC_STIMER_ENABLE
#define AUTO SC_STIMER_AUTO_ENABLE
#define PERIODIC SC_STIMER_PERIODIC

/* One line each, or the list could not be read as one. */
/* clang-format off */
#define SET(name, to) { .operation = STEP_SET, .index = (name), .value = (to) }
#define SET_FAILS(name, to, with) { .operation = STEP_SET, .index = (name), .value = (to), .status = (with) }
#define GET(name, is) { .operation = STEP_GET, .index = (name), .value = (is), .mask = UINT64_MAX }
#define GET_BITS(name, bits, are) { .operation = STEP_GET, .index = (name), .value = (are), .mask = (bits) }
#define GET_WORKS(name) { .operation = STEP_GET, .index = (name) }
#define GET_FAILS(name, with) { .operation = STEP_GET, .index = (name), .status = (with) }
#define ARM(n, delta) { .operation = STEP_ARM, .index = (n), .value = (delta) }
#define WAIT(units) { .operation = STEP_WAIT, .value = (units) }
#define FIRES(intid, times) { .operation = STEP_FIRES, .index = (intid), .value = (times) }
#define TICKS(intid, times) { .operation = STEP_TICKS, .index = (intid), .value = (times) }
#define SILENT(intid, units) { .operation = STEP_SILENT, .index = (intid), .value = (units) }
#define NOT_EARLY(intid) { .operation = STEP_NOT_EARLY, .index = (intid) }
#define MASK { .operation = STEP_MASK, .value = 1 }
#define UNMASK { .operation = STEP_MASK }
#define CALL(with, ...)                                                                                                \
	{                                                                                                              \
		.operation = STEP_CALL, .status = (with), .shape = &(const struct shape)                               \
		{                                                                                                      \
			__VA_ARGS__                                                                                    \
		}                                                                                                      \
	}
#define MESSAGE(sint, n) { .operation = STEP_MESSAGE, .index = (sint), .value = (n) }
#define NO_MESSAGE(sint, units) { .operation = STEP_NO_MESSAGE, .index = (sint), .value = (units) }
#define WAITING(sint) { .operation = STEP_WAITING, .index = (sint) }
#define FREE(sint) { .operation = STEP_FREE, .index = (sint) }
#define MESSAGE_PAGE { .operation = STEP_SIMP, .value = SC_SIMP_ENABLE }
#define MESSAGE_PAGE_OFF { .operation = STEP_SIMP }
#define MIGRATE { .operation = STEP_MIGRATE }
#define STEPS(...)                                                                                                     \
	.steps = (const struct step[])                                                                                 \
	{                                                                                                              \
		__VA_ARGS__,                                                                                           \
		{                                                                                                      \
			.operation = STEP_END                                                                          \
		}                                                                                                      \
	}
#define TABLE(list) { (list), sizeof(list) / sizeof((list)[0]) }
/* clang-format on */

/* Interrupts of the scripts: free on every machine that is known. */
#define INTID_A 31u
#define INTID_B 20u
#define INTID_C 21u
#define INTID_D 22u

/* What GuestOsId is during a case; 0 only where a script says so. */
#define OS_ID 0x8700000000000001ull

#endif
