/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * How far a guest follows a change of the counter's rate, and what is in its way.
 *
 * Policy: judged by what the guest has set up and by what its driver declares; a driver's word counts for more than the
 * page, since an enabled page proves nothing. Without a word the page must be one that a clock can be read from. The
 * clock is looked at before the timers, so the obstacle that is named is the one to remove first.
 */
#include "port.h"

static bool declares(const struct sc_partition *partition)
{
	return partition->guest_clock & SC_GUEST_CLOCK_DECLARED;
}

static bool page_enabled(const struct sc_partition *partition)
{
	return partition->reference_tsc & SC_REFERENCE_TSC_ENABLE;
}

/* As declared, or inferred. */
static bool clock_on_page(const struct sc_partition *partition)
{
	if (!page_enabled(partition))
		return false;
	if (declares(partition))
		return partition->guest_clock & SC_GUEST_CLOCK_ON_PAGE;
	return partition->clock.scale != 0;
}

/* What keeps the clock from following; a raw clock follows if the guest can be asked first. */
static enum sc_obstacle clock_obstacle(const struct sc_partition *partition, enum sc_move move)
{
	bool holds = partition->guest_clock & SC_GUEST_CLOCK_HOLDS;

	if (partition->guest_clock & SC_GUEST_CLOCK_RAW_HZ_MASK)
		return move == SC_MOVE_ASKED && holds ? SC_OBSTACLE_NONE : SC_OBSTACLE_RAW;
	if (clock_on_page(partition))
		return SC_OBSTACLE_NONE;
	if (declares(partition))
		return SC_OBSTACLE_OTHER;
	return page_enabled(partition) ? SC_OBSTACLE_SLOW : SC_OBSTACLE_NO_PAGE;
}

static bool has_direct_timer(const struct sc_vcpu *vcpu)
{
	for (uint32_t n = 0; n < SC_STIMER_COUNT; n++) {
		uint64_t config = vcpu->timer[n].config;

		if (config & SC_STIMER_DIRECT && config & (SC_STIMER_ENABLE | SC_STIMER_AUTO_ENABLE))
			return true;
	}
	return false;
}

/* A vCPU that is on and has no timer; false if there is none. */
static bool find_timerless(const struct sc_partition *partition, uint32_t online, uint32_t *vp)
{
	for (*vp = 0; *vp < partition->vcpu_count; ++*vp)
		if (online >> *vp & 1 && !has_direct_timer(&partition->vcpu[*vp]))
			return true;
	*vp = 0;
	return false;
}

struct sc_follow sc_partition_follow(const struct sc_partition *partition, uint32_t online, enum sc_move move)
{
	bool holds = move == SC_MOVE_ASKED ? partition->guest_clock & SC_GUEST_CLOCK_HOLDS : partition->held;
	struct sc_follow follow = {
		.level = SC_LEVEL_NONE,
		.on_page = clock_on_page(partition),
		.inferred = !declares(partition) && page_enabled(partition),
		.obstacle = clock_obstacle(partition, move),
	};

	if (follow.obstacle == SC_OBSTACLE_NONE && find_timerless(partition, online, &follow.vp))
		follow.obstacle = SC_OBSTACLE_TIMER;
	if (follow.obstacle == SC_OBSTACLE_NONE)
		follow.level = holds ? SC_LEVEL_COOPERATIVE : SC_LEVEL_REFERENCE;
	return follow;
}
