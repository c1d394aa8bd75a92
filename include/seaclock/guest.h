/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The guest library: the hypervisor's clock and timers for boot loaders, real-time systems and unikernels on arm64.
 *
 * Policy: freestanding, no libc, no allocation, no globals: all state is in a struct sc_guest and in the pages that the
 * caller passes. Functions that call the hypervisor run at EL1 and say how often they do: an exit is one HVC, a trip to
 * the hypervisor's user space and back (microseconds), in which interrupts stay as they are. They return 0, the
 * hypervisor's status (SC_HV_*, positive) or -SC_GUEST_E_*. One struct may be used on several vCPUs at once, since only
 * the functions that say so write to it; registers of timers and messages are those of the calling vCPU.
 *
 * The reader of the page by itself, for x86-64 as well, is <seaclock/page.h>.
 */
#ifndef SEACLOCK_GUEST_H
#define SEACLOCK_GUEST_H

#include <seaclock/core.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Errors; functions return them negated. */
#define SC_GUEST_E_ABSENT 1	/* there is no such hypervisor */
#define SC_GUEST_E_INCOMPLETE 2 /* the hypervisor does not grant what was asked for */
#define SC_GUEST_E_ARGUMENT 3	/* an argument is outside the range that the function states */

/* How a hypercall is made. Both answer alike; what differs is the registers. */
enum sc_guest_convention {
	SC_GUEST_SMCCC, /* HVC #0, SMC Calling Convention: what Linux uses */
	SC_GUEST_HVC1,	/* HVC #1: what firmware and older guests use */
};

struct sc_guest {
	enum sc_guest_convention convention;
	uint64_t privileges;			  /* SC_PRIVILEGE_* */
	uint64_t features;			  /* SC_FEATURE_* */
	const struct sc_reference_tsc_page *page; /* NULL: not enabled, time comes from the register */
};

/* ---- Detection (guest/detect.c) ---- */

/*
 * True if the FADT of these ACPI tables names the hypervisor. `rsdp` and all tables are mapped where their physical
 * addresses say. Only lengths are checked: checksums are the caller's matter. No exit.
 */
bool sc_guest_fadt_matches(const void *rsdp);

/*
 * Looks for the hypervisor and learns what it grants; fills *guest. With an RSDP the FADT decides, and without the name
 * in it no call is made; with NULL a GET of HypervisorVersion decides, which a hypervisor that does not know the call
 * answers with an error, and a machine without any with an undefined-instruction exception that the caller must take.
 * Works before sc_guest_identify. Exits: 1 with an RSDP, 2 without. -SC_GUEST_E_ABSENT; a status if the features cannot
 * be read.
 */
int sc_guest_detect(struct sc_guest *guest, enum sc_guest_convention convention, const void *rsdp);

/*
 * Tells the hypervisor what runs, for the whole machine: once, on the boot vCPU, before anything below. `os_id` is not
 * 0; open source systems set bit 63 (TLFS, guest OS identity). 1 exit. -SC_GUEST_E_ARGUMENT; the call's status.
 */
int sc_guest_identify(const struct sc_guest *guest, uint64_t os_id);

/* ---- Registers and calls (guest/call.S, guest/register.c) ---- */

#define SC_GUEST_BLOCK 16u /* registers of 64 bits in a call's block */

/*
 * Any hypercall. `block` is X2..X17 (SMCCC) or X1..X16 (HVC #1) and is stored back as the call leaves it: fast form,
 * input at the start and output where the convention has it; memory form, addresses of input and output in the first
 * two. Returns the result word, all ones if the hypervisor does not know the call. 1 exit.
 */
uint64_t sc_guest_call(enum sc_guest_convention convention, uint64_t control, uint64_t block[SC_GUEST_BLOCK]);

/*
 * Reads or writes a register of the calling vCPU. 1 exit. The call's status, -SC_GUEST_E_ABSENT if the hypervisor does
 * not know the call; values are written on success only. The feature words have 128 bits, low half first.
 */
int sc_guest_get(const struct sc_guest *guest, uint32_t name, uint64_t *value);
int sc_guest_get_wide(const struct sc_guest *guest, uint32_t name, uint64_t value[2]);
int sc_guest_set(const struct sc_guest *guest, uint32_t name, uint64_t value);

/* ---- Reference time (guest/clock.c) ---- */

/*
 * Has the hypervisor keep `page`, which lies at guest physical address `gpa`: 4096 bytes on a 4096-byte boundary of
 * ordinary cacheable memory, for the whole machine. Writes to *guest; other vCPUs use it after a barrier. 1 exit.
 * -SC_GUEST_E_INCOMPLETE without the privilege, -SC_GUEST_E_ARGUMENT, the call's status.
 */
int sc_guest_page_enable(struct sc_guest *guest, const struct sc_reference_tsc_page *page, uint64_t gpa);

/* Ends that; the memory is the caller's again. Writes to *guest; no other vCPU may be reading the time. 1 exit. */
int sc_guest_page_disable(struct sc_guest *guest);

/*
 * Reference time, units of 100 ns: from the page; from the register while the page is invalid or not enabled. Never
 * goes back on any two vCPUs. From the page: no exit, an isb, two load barriers, one multiplication; from the register:
 * 1 exit. The call's status, and *now is untouched; never fails while the page is valid.
 */
int sc_guest_now(const struct sc_guest *guest, sc_ref_t *now);

/* ---- Synthetic timers (guest/timer.c): four on each vCPU, n = 0..3 ---- */

/* What a timer does from sc_guest_timer_set on. */
#define SC_GUEST_ONE_SHOT 0ull
#define SC_GUEST_PERIODIC SC_STIMER_PERIODIC
#define SC_GUEST_PERIODIC_LAZY (SC_STIMER_PERIODIC | SC_STIMER_LAZY) /* missed periods may coalesce */

/*
 * Sets timer n up, stopped, to raise the interrupt `intid`, 16..31, one edge an expiry. The guest chooses the INTID and
 * enables it in its interrupt controller; those of the architectural timers may be refused. 2 exits.
 * -SC_GUEST_E_INCOMPLETE without the privilege or feature, -SC_GUEST_E_ARGUMENT, the call's status.
 */
int sc_guest_timer_direct(const struct sc_guest *guest, uint32_t n, uint64_t mode, uint32_t intid);

/*
 * The same, but an expiry posts a message in the slot of synthetic interrupt source `sint`, 1..15: see
 * sc_guest_messages_enable. 2 exits. -SC_GUEST_E_INCOMPLETE without both privileges, -SC_GUEST_E_ARGUMENT, the status.
 */
int sc_guest_timer_message(const struct sc_guest *guest, uint32_t n, uint64_t mode, uint32_t sint);

/*
 * Starts or re-arms timer n: a one-shot timer fires when reference time has reached `count`, never before, and at once
 * if that is past; a periodic one every `count` units from now on. count > 0. 1 exit, for whoever re-arms in the
 * handler the only one. -SC_GUEST_E_ARGUMENT, the call's status.
 */
int sc_guest_timer_set(const struct sc_guest *guest, uint32_t n, uint64_t count);

/* Stops timer n and forgets its setting. An interrupt that is already pending still comes. 2 exits. The call's status.
 */
int sc_guest_timer_stop(const struct sc_guest *guest, uint32_t n);

/* ---- Timer messages (guest/message.c) ---- */

/*
 * Gives the calling vCPU a message page, one slot for each of 16 synthetic interrupt sources: 4096 bytes of zeroes on a
 * 4096-byte boundary at guest physical address `gpa`. 2 exits. -SC_GUEST_E_INCOMPLETE without the privilege,
 * -SC_GUEST_E_ARGUMENT, the call's status.
 */
int sc_guest_messages_enable(const struct sc_guest *guest, uint64_t gpa);

/* Takes it back, messages that wait included. 2 exits. The call's status. */
int sc_guest_messages_disable(const struct sc_guest *guest);

/* Opens source `sint`, 1..15, with the interrupt `intid`, 16..31; or for a guest that polls its slot. 1 exit. */
int sc_guest_sint_enable(const struct sc_guest *guest, uint32_t sint, uint32_t intid);
int sc_guest_sint_poll(const struct sc_guest *guest, uint32_t sint);

/* Masks source `sint`. 1 exit. */
int sc_guest_sint_disable(const struct sc_guest *guest, uint32_t sint);

/*
 * Takes the timer message out of slot `sint` of the page of the calling vCPU: true, and *message is filled, if there
 * was one; a message of another type is dropped. Then the slot is free, and if another message waits the hypervisor is
 * told. One full barrier; no exit, or 1 if another waits. Call it until it is false.
 */
bool sc_guest_message_take(const struct sc_guest *guest, struct sc_message *page, uint32_t sint,
			   struct sc_timer_message *message);

#ifdef __cplusplus
}
#endif

#endif
