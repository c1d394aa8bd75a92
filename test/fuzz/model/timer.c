/* SPDX-License-Identifier: BSD-2-Clause */
/* Timers and messages of the reference model: see the header. */
#include "model.h"

#include <string.h>

#define ENABLED 1u
#define PERIODIC 2u
#define DIRECT 0x1000u

/* A period below 100 us is stretched: so many periods make one expiry. */
static uint64_t stretch(const struct model_timer *timer)
{
	return timer->config & PERIODIC && timer->count < 1000 ? (999 + timer->count) / timer->count : 1;
}

static uint64_t expiries(const struct model_timer *timer, uint64_t now)
{
	if (!timer->runs)
		return 0;
	return timer->config & PERIODIC ? (now - timer->since) / (stretch(timer) * timer->count) : now >= timer->count;
}

void model_look(struct model *model, uint64_t now)
{
	for (uint32_t i = 0; i < model->vcpus * MODEL_TIMERS; i++) {
		struct model_timer *timer = &model->vcpu[i / MODEL_TIMERS].timer[i % MODEL_TIMERS];

		if (!timer->runs)
			continue;
		timer->seen = expiries(timer, now);
		if (timer->seen && !(timer->config & PERIODIC)) {
			timer->config &= ~(uint64_t)ENABLED;
			timer->runs = false;
		}
	}
}

bool model_pending(const struct model_timer *timer)
{
	return timer->seen > timer->answered;
}

/* The moment of expiry number n, from 1. */
static uint64_t moment(const struct model_timer *timer, uint64_t n)
{
	unsigned __int128 at = timer->config & PERIODIC
				       ? timer->since + (unsigned __int128)n * stretch(timer) * timer->count
				       : timer->count;

	return at > UINT64_MAX ? UINT64_MAX : (uint64_t)at;
}

uint64_t model_expired(const struct model_timer *timer)
{
	return model_pending(timer) ? moment(timer, timer->answered + 1) : 0;
}

uint64_t model_coalesced(const struct model_timer *timer)
{
	if (!(timer->config & PERIODIC) || !timer->count)
		return 0;
	return timer->seen * stretch(timer) - timer->given - model_pending(timer);
}

uint64_t model_next(const struct model *model)
{
	uint64_t next = UINT64_MAX;

	for (uint32_t i = 0; i < model->vcpus * MODEL_TIMERS; i++) {
		const struct model_timer *timer = &model->vcpu[i / MODEL_TIMERS].timer[i % MODEL_TIMERS];
		uint64_t at;

		if (!timer->runs || timer->line || model_pending(timer))
			continue;
		at = moment(timer, timer->seen + 1);
		next = at < next ? at : next;
	}
	return next;
}

struct model_way model_way_of(const struct model_vcpu *vcpu, const struct model_timer *timer)
{
	uint32_t sint = timer->config >> 16 & 15;
	uint64_t value = vcpu->sint[sint];

	if (timer->config & DIRECT)
		return (struct model_way){ .open = true, .interrupt = true, .intid = timer->config >> 4 & 255 };
	return (struct model_way){
		.open = vcpu->scontrol & 1 && vcpu->simp & 1 && !(value >> 16 & 1),
		.message = true,
		.interrupt = !(value >> 18 & 1),
		.intid = value & 255,
		.slot = vcpu->simp / 4096 * 4096 + 256 * sint,
	};
}

void model_give(struct model_timer *timer, bool level, bool merged)
{
	if (!merged && !timer->line)
		timer->given++;
	timer->line |= level;
	timer->answered = timer->seen;
}

bool model_slot_free(struct model *model, uint64_t slot)
{
	uint8_t *place = model->memory + (slot - MODEL_BASE);
	static const uint8_t none[4];

	if (!memcmp(place, none, sizeof(none)))
		return true;
	place[5] |= 1;
	return false;
}

static void store(uint8_t *place, uint64_t value, uint32_t bytes)
{
	for (uint32_t i = 0; i < bytes; i++)
		place[i] = (uint8_t)(value >> 8 * i);
}

void model_put_message(struct model *model, uint64_t slot, uint32_t index, uint64_t expired, uint64_t now)
{
	uint8_t *place = model->memory + (slot - MODEL_BASE);

	store(place, 0x80000010u, 4);
	store(place + 4, 24, 4);
	store(place + 8, 0, 8);
	store(place + 16, index, 8);
	store(place + 24, expired, 8);
	store(place + 32, now, 8);
}
