/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Whether a machine can move from one host to another, as far as the hosts decide it.
 *
 * Policy: pure. Unless a machine is given, it is one that was made at the first host without being told another
 * processor, and its guest is of the level that asks least. It judges by the rules of the migration itself, where there
 * are such: registers by host/identity.h, rates by transfer/admission.h. KVM and the target have the last word.
 */
#ifndef VMM_TRANSFER_PASSAGE_H
#define VMM_TRANSFER_PASSAGE_H

#include "base/error.h"
#include "host/facts.h"

#include <seaclock/core.h>

struct passage {
	bool possible;
	enum sc_level level; /* of the guests that can, this and higher ones */
	struct error why;    /* one clause if no guest can */
};

struct passage passage_judge(const struct host_facts *from, const struct host_facts *to);

/* A machine of the first host: in which registers it differs from others there, and what its guest can follow. */
struct passage_machine {
	const struct identity *cpu;
	const struct sc_follow *follow; /* as the monitor knows it; its obstacle does not matter; NULL: nobody does */
	const char *obstacle;		/* why its level is not higher, as one clause */
};

/* The same of that machine, whose guest's level counts if it is known; `level` is still the one that is needed. */
struct passage passage_judge_machine(const struct host_facts *from, const struct passage_machine *machine,
				     const struct host_facts *to);

/* Whether two hosts are the same for every passage: what they are called and which kernel they run does not matter. */
bool passage_same(const struct host_facts *a, const struct host_facts *b);

/*
 * Puts hosts that are the same into groups, numbered by their first host: `group` has an element for each host. The
 * number of groups.
 */
uint32_t passage_group(const struct host_facts *hosts, uint32_t count, uint32_t *group);

#endif
