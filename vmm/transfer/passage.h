/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Whether a machine can move from one host to another, as far as the hosts decide it.
 *
 * Policy: pure. The machine is one that was made at the first host without being told another processor, and its guest
 * is of the level that asks least. It judges by the rules of the migration itself, where there are such: registers by
 * host/identity.h, rates by transfer/admission.h. KVM and the target have the last word.
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

/* Whether two hosts are the same for every passage: what they are called and which kernel they run does not matter. */
bool passage_same(const struct host_facts *a, const struct host_facts *b);

/*
 * Puts hosts that are the same into groups, numbered by their first host: `group` has an element for each host. The
 * number of groups.
 */
uint32_t passage_group(const struct host_facts *hosts, uint32_t count, uint32_t *group);

#endif
