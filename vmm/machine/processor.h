/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The processor that a new machine is told it has: identification registers in which it differs from its host's, so
 * that it can move to hosts which have less (doc/fleet.md).
 *
 * Policy: only who makes a machine says so. One that arrives brings its registers in its state, whatever was said when
 * it was made; one that starts anew keeps them. Only MIDR_EL1 and its like are a part of the description that travels,
 * for KVM has to know of them before there are vCPUs: a machine that was told them asks every host for that, and
 * another must be refused on another processor, not told that it is still on the first. KVM decides what can be had,
 * and what it refuses makes no machine.
 */
#ifndef VMM_MACHINE_PROCESSOR_H
#define VMM_MACHINE_PROCESSOR_H

#include "base/error.h"
#include "host/identity.h"

#include <jansson.h>

struct host_vm;
struct vcpu_set;

/* ---- As JSON: a member for each register, its name and a text such as "0x1100" ---- */

json_t *processor_json(const struct identity *identity);

/* -EINVAL and a sentence that begins with `prefix` and the register. */
int processor_get(const json_t *object, const char *prefix, struct identity *identity, struct error *error);

/* A value alone, and back; false: it is no such text. */
json_t *processor_value_json(uint64_t value);
bool processor_value_get(const json_t *json, uint64_t *value);

/* Adds a register by its name; as processor_get(). */
int processor_add(struct identity *identity, const char *prefix, const char *name, struct identity_register reg,
		  struct error *error);

/* ---- To a machine ---- */

/* Before any vCPU has run. As KVM refuses one, with a sentence that names the register. */
int processor_tell(struct vcpu_set *vcpus, const struct identity *identity, struct error *error);

/* What the vCPUs of one that arrives are before its state tells them anything. */
int processor_learn(const struct host_vm *vm, struct vcpu_set *vcpus, struct identity *untold, struct error *error);
/*
 * The registers in which they differ from that, once the state of another host is loaded. What `cpu` has of
 * MIDR_EL1 and its like was told, and stays in it whatever this host has.
 */
int processor_compare(struct vcpu_set *vcpus, const struct identity *untold, struct identity *cpu, struct error *error);

#endif
