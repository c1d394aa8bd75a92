/* SPDX-License-Identifier: BSD-2-Clause */
/* Deadlines: see the header. */
#include "deadline.h"
#include "scale.h"

#include <seaclock/core.h>

#define CTL_ENABLE 1u
#define CTL_IMASK 2u

/* An event with every change of bit EVNTI of the counter from 0 to 1, or, if EVNTIS is set, of bit EVNTI + 8. */
#define KCTL_EVNTEN (1ull << 2)
#define KCTL_EVNTI_SHIFT 4u
#define KCTL_EVNTI_MAX 15u
#define KCTL_EVNTIS (1ull << 17)
#define KCTL_EVNTIS_BITS 8u
#define STREAM_HZ 10000u

/* 2 ms, and a part of the distance: a clock that is slewed differs from the counter by up to 0.1 %. */
#define LATE_NS 2000000u
#define LATE_ONE_IN 512u
/* Events so far away are never set as such. */
#define FAR_NS (1ll << 55)

static uint64_t move(uint64_t ctl, uint64_t deadline, const struct sc_rate_change *change)
{
	if (!(ctl & CTL_ENABLE))
		return deadline;
	return sc_rate_convert_deadline(sc_ticks(deadline), sc_ticks(change->from_ticks), change->from_hz,
					sc_ticks(change->to_ticks), change->to_hz)
		.v;
}

/* The bit whose period is the nearest to that of the stream. It rises once in two changes. */
static uint32_t stream_bit(uint32_t hz)
{
	uint32_t divider = hz / STREAM_HZ / 2, bit = 0;

	while (divider >> bit > 1)
		bit++;
	return bit > 0 && divider >> (bit - 1) & 1 ? bit + 1 : bit;
}

/* Only a vCPU that has EVNTIS set is known to have that. */
static uint64_t move_stream(uint64_t kctl, uint32_t hz)
{
	bool scaled = kctl & KCTL_EVNTIS;
	uint32_t bit = stream_bit(hz);

	if (!(kctl & KCTL_EVNTEN))
		return kctl;
	kctl &= ~(KCTL_EVNTIS | (uint64_t)KCTL_EVNTI_MAX << KCTL_EVNTI_SHIFT);
	if (bit > KCTL_EVNTI_MAX && scaled) {
		kctl |= KCTL_EVNTIS;
		bit -= KCTL_EVNTIS_BITS;
	} else if (bit > KCTL_EVNTI_MAX) {
		bit = KCTL_EVNTI_MAX;
	}
	return kctl | (uint64_t)bit << KCTL_EVNTI_SHIFT;
}

void sc_deadline_move(const struct sc_vcpu_timers *from, const struct sc_rate_change *change, struct sc_vcpu_timers *to)
{
	*to = *from;
	to->cntv_cval = move(from->cntv_ctl, from->cntv_cval, change);
	to->cntp_cval = move(from->cntp_ctl, from->cntp_cval, change);
	to->cntkctl = move_stream(from->cntkctl, change->to_hz);
}

/* ns as ticks, rounded up, of less than FAR_NS * 2: a second at a time, the product has 64 bits. */
static uint64_t ticks_of(uint64_t ns, uint32_t hz)
{
	return ns / NS_PER_SECOND * hz + (ns % NS_PER_SECOND * hz + NS_PER_SECOND - 1) / NS_PER_SECOND;
}

bool sc_deadline_is_late(const struct sc_vcpu_timers *timers, uint64_t count, uint32_t hz, int64_t event_ns)
{
	uint64_t distance = event_ns > 0 ? (uint64_t)event_ns : 0;

	if (!(timers->cntv_ctl & CTL_ENABLE) || timers->cntv_ctl & CTL_IMASK || event_ns >= FAR_NS ||
	    timers->cntv_cval <= count)
		return false;
	return timers->cntv_cval - count > ticks_of(distance + distance / LATE_ONE_IN + LATE_NS, hz);
}
