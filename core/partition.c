/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The partition: one guest's clock, registers and timers together.
 *
 * Policy: plain data, owned by the caller; these functions only walk over it.
 */
#include "stimer.h"
#include "synic.h"

int sc_partition_init(struct sc_partition *partition, uint32_t vcpu_count, uint32_t hz, sc_ticks_t counter)
{
	struct sc_clock clock;
	int err = sc_clock_set(&clock, hz, counter, sc_ref(0));

	if (err)
		return err;
	if (vcpu_count < 1 || vcpu_count > SC_VCPU_MAX)
		return -SC_E_VALUE;
	memset(partition, 0, sizeof(*partition));
	partition->clock = clock;
	partition->vcpu_count = vcpu_count;
	for (uint32_t vp = 0; vp < vcpu_count; vp++)
		sc_synic_reset(&partition->vcpu[vp].synic);
	return 0;
}

bool sc_partition_deadline(const struct sc_partition *partition, sc_ref_t *deadline)
{
	bool found = false;

	for (uint32_t i = 0; i < partition->vcpu_count * SC_STIMER_COUNT; i++) {
		const struct sc_stimer *timer = &partition->vcpu[i / SC_STIMER_COUNT].timer[i % SC_STIMER_COUNT];

		if (!timer->armed || timer->pending || (found && timer->due.v >= deadline->v))
			continue;
		*deadline = timer->due;
		found = true;
	}
	return found;
}

bool sc_partition_expire(struct sc_partition *partition, sc_ticks_t counter)
{
	sc_ref_t now = sc_clock_read(&partition->clock, counter);
	bool pending = false;

	for (uint32_t i = 0; i < partition->vcpu_count * SC_STIMER_COUNT; i++) {
		struct sc_stimer *timer = &partition->vcpu[i / SC_STIMER_COUNT].timer[i % SC_STIMER_COUNT];

		sc_stimer_expire(timer, now);
		pending |= timer->pending;
	}
	return pending;
}

/* False while the expiry has no way to the guest. */
static bool route(const struct sc_vcpu *vcpu, const struct sc_stimer *timer, struct sc_delivery *delivery)
{
	if (!(timer->config & SC_STIMER_DIRECT))
		return sc_synic_route(&vcpu->synic, sc_stimer_sint(timer), delivery);
	delivery->interrupt = true;
	delivery->intid = sc_stimer_intid(timer);
	return true;
}

bool sc_partition_pending(const struct sc_partition *partition, uint32_t *cursor, struct sc_delivery *delivery)
{
	while (*cursor < partition->vcpu_count * SC_STIMER_COUNT) {
		uint32_t vp = *cursor / SC_STIMER_COUNT, n = (*cursor)++ % SC_STIMER_COUNT;
		const struct sc_vcpu *vcpu = &partition->vcpu[vp];

		*delivery = (struct sc_delivery){ .vp = vp, .timer = n };
		if (vcpu->timer[n].pending && route(vcpu, &vcpu->timer[n], delivery))
			return true;
	}
	return false;
}

static bool clock_on_page(const struct sc_partition *partition)
{
	if (!(partition->reference_tsc & SC_REFERENCE_TSC_ENABLE))
		return false;
	if (partition->guest_clock & SC_GUEST_CLOCK_DECLARED)
		return partition->guest_clock & SC_GUEST_CLOCK_ON_PAGE;
	return partition->clock.scale != 0;
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

static bool has_direct_timers(const struct sc_partition *partition, uint32_t online)
{
	for (uint32_t vp = 0; vp < partition->vcpu_count; vp++)
		if (online >> vp & 1 && !has_direct_timer(&partition->vcpu[vp]))
			return false;
	return true;
}

enum sc_level sc_partition_level_now(const struct sc_partition *partition, uint32_t online)
{
	if (!clock_on_page(partition) || !has_direct_timers(partition, online))
		return SC_LEVEL_NONE;
	return partition->held ? SC_LEVEL_COOPERATIVE : SC_LEVEL_REFERENCE;
}

enum sc_level sc_partition_level(const struct sc_partition *partition, uint32_t online)
{
	bool raw = partition->guest_clock & SC_GUEST_CLOCK_RAW_HZ_MASK;

	/* Its timers are looked at when it holds: while a vCPU comes or goes, it is on and has none yet, or no more. */
	if (partition->guest_clock & SC_GUEST_CLOCK_HOLDS && (raw || clock_on_page(partition)))
		return SC_LEVEL_COOPERATIVE;
	return sc_partition_level_now(partition, online);
}
