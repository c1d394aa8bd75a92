/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a host is, as far as it decides where machines can move.
 *
 * Policy: a plain structure, as the host states it of itself. What it leads to is judged elsewhere
 * (transfer/baseline.h), so that facts of another host, out of a file, are judged like this one's.
 */
#ifndef VMM_HOST_FACTS_H
#define VMM_HOST_FACTS_H

#include "host/identity.h"

#define FACTS_NAME_SIZE 65u /* of a host, and of a kernel's release */

/* What KVM is asked for by KVM_CHECK_EXTENSION; its answers are numbers, 0 for what it cannot. */
enum facts_capability {
	FACTS_COUNTER_OFFSET,
	FACTS_WRITABLE_MASKS, /* it says which bits of registers can be written; Linux 6.7 */
	FACTS_WRITABLE_MIDR,  /* MIDR_EL1 and its like can be written; Linux 6.15 */
	FACTS_ADDRESS_BITS,
	FACTS_STOLEN_TIME,
	FACTS_EL1_32BIT,
	FACTS_PMU,
	FACTS_SVE,
	FACTS_POINTER_AUTHENTICATION,
	FACTS_MTE,
	FACTS_PTP,
	FACTS_SYSTEM_SUSPEND,
	FACTS_NESTED,
	FACTS_CAPABILITIES
};

struct host_facts {
	char name[FACTS_NAME_SIZE];
	char kernel[FACTS_NAME_SIZE];	/* its release */
	char seaclock[FACTS_NAME_SIZE]; /* the monitor's version */
	uint32_t protocol;		/* of migrations: what it sends, */
	uint32_t protocol_oldest;	/* and the oldest that it takes */
	uint32_t counter_hz;
	uint32_t page_size;    /* of its kernel, bytes */
	uint32_t address_bits; /* of a guest's physical addresses at most */
	uint32_t gic;	       /* version of a guest's interrupt controller */
	uint32_t gic_iidr;     /* GICD_IIDR of it, whose revision is KVM's */
	uint32_t capability[FACTS_CAPABILITIES];
	struct identity identity; /* of a vCPU as it is made */
};

/* A capability's name in JSON; NULL after the last. */
const char *facts_capability_name(uint32_t n);

#endif
