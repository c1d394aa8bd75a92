/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A reference model of the guest's interface: hypercalls, registers, timers and messages, from doc/abi.md.
 *
 * Policy: written without the core and sharing no code with it, and in another way: a timer here is the number of its
 * periods up to some moment, not a next deadline. Slow and simple; reference time is given to it. All numbers stand
 * here a second time.
 */
#ifndef MODEL_H
#define MODEL_H

#include <stdbool.h>
#include <stdint.h>

#define MODEL_VCPUS 8u
#define MODEL_TIMERS 4u
#define MODEL_SINTS 16u
#define MODEL_BASE 0x40000000u
#define MODEL_MEMORY 16384u

struct model_timer {
	uint64_t config;
	uint64_t count;
	uint64_t since;	   /* when it was started */
	uint64_t seen;	   /* expiries up to the last look */
	uint64_t answered; /* those that the guest was given, alone or with others */
	uint64_t given;	   /* deliveries */
	bool runs;
	bool line;
};

struct model_vcpu {
	struct model_timer timer[MODEL_TIMERS];
	uint64_t sint[MODEL_SINTS];
	uint64_t scontrol, siefp, simp;
};

struct model {
	uint32_t vcpus;
	uint64_t os_id, page, declared;
	uint32_t hz, asked;
	bool held;
	uint32_t holder;
	uint64_t crash[5];
	struct model_vcpu vcpu[MODEL_VCPUS];
	uint8_t memory[MODEL_MEMORY]; /* the guest's, at MODEL_BASE */
};

/* Where an expiry goes. */
struct model_way {
	bool open; /* it may go now, as far as the registers say */
	bool message;
	bool interrupt;
	uint32_t intid;
	uint64_t slot;
};

/* As at reset; the memory stays. */
void model_reset(struct model *model, uint32_t vcpus, uint32_t hz);

/* An HVC of a vCPU with X0 to X17 at time now; they are changed as the guest finds them. Returns SC_EFFECT_* bits. */
uint32_t model_call(struct model *model, uint32_t vp, uint64_t x[18], uint64_t now);

/* The monitor looks at all timers. */
void model_look(struct model *model, uint64_t now);
/* When it must look again; UINT64_MAX if never. */
uint64_t model_next(const struct model *model);

bool model_pending(const struct model_timer *timer);
uint64_t model_expired(const struct model_timer *timer);
uint64_t model_coalesced(const struct model_timer *timer);
struct model_way model_way_of(const struct model_vcpu *vcpu, const struct model_timer *timer);

/* A delivery; `merged`: the guest has not taken the last interrupt. */
void model_give(struct model_timer *timer, bool level, bool merged);

/* True if the slot is free; else the guest is told that a message waits. The slot is memory. */
bool model_slot_free(struct model *model, uint64_t slot);
void model_put_message(struct model *model, uint64_t slot, uint32_t index, uint64_t expired, uint64_t now);

#endif
