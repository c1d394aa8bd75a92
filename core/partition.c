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

void sc_partition_reset(struct sc_partition *partition)
{
	const struct sc_partition before = *partition;

	memset(partition, 0, sizeof(*partition));
	partition->clock = before.clock;
	partition->vcpu_count = before.vcpu_count;
	partition->page_sequence = before.page_sequence;
	for (uint32_t vp = 0; vp < partition->vcpu_count; vp++)
		sc_synic_reset(&partition->vcpu[vp].synic);
}

bool sc_partition_deadline(const struct sc_partition *partition, sc_ref_t *deadline)
{
	bool found = false;

	for (uint32_t i = 0; i < partition->vcpu_count * SC_STIMER_COUNT; i++) {
		const struct sc_stimer *timer = &partition->vcpu[i / SC_STIMER_COUNT].timer[i % SC_STIMER_COUNT];

		if (!timer->armed || timer->pending || timer->asserted || (found && timer->due.v >= deadline->v))
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
