/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What all tests of two fake hosts begin and end with. Policy: each test opens the pair itself, with the rates and the
 * seed that it is about; an alarm ends a test that hangs.
 */
#ifndef PAIR_FIXTURE_H
#define PAIR_FIXTURE_H

#include "unit.h"
#include "../wait_scale.h"

#include <unistd.h>

#include "../fake/pair.h"

#define PAIR_LIMIT_S 100

static struct pair pair;

static inline int pair_set_up(void **state)
{
	(void)state;
	alarm(wait_scaled(PAIR_LIMIT_S));
	fake_reset();
	return 0;
}

static inline int pair_tear_down(void **state)
{
	(void)state;
	pair_close(&pair);
	alarm(0);
	return 0;
}

static inline struct host_vcpu *vcpu(struct machine *machine, uint32_t n)
{
	return &machine->vcpus.vcpu[n].host;
}

#endif
