/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The record: the whole clock and timer state as bytes, for a migration or a snapshot.
 *
 * Policy: explicit little-endian bytes, so that compilers and hosts do not matter. A record comes from a peer or a file
 * and is checked in full: what loads is a state that some guest could have reached. Layout: magic, version, length,
 * clock, stop point, registers, then the timers and the SynIC of each vCPU.
 */
#include "clock.h"
#include "stimer.h"
#include "synic.h"

#define RECORD_MAGIC 0x43455253u /* "SREC" */
#define RECORD_VERSION 3u
#define RECORD_FIXED_SIZE (4u * 7 + 8u * 12)
#define RECORD_TIMER_SIZE (8u * 5 + 3u)
#define RECORD_SYNIC_SIZE (8u * (3 + SC_SINT_COUNT))
#define RECORD_VCPU_SIZE (SC_STIMER_COUNT * RECORD_TIMER_SIZE + RECORD_SYNIC_SIZE)

SC_ABI_ASSERT(record_max, RECORD_FIXED_SIZE + SC_VCPU_MAX * RECORD_VCPU_SIZE <= SC_RECORD_MAX);

/* Reference times beyond this are 29000 years away: no running machine has one, and sums with it stay in 64 bits. */
#define REFERENCE_MAX (1ull << 63)
/* A guest's counter starts at 0, and the fastest one needs 146 years for this. One near its end would soon wrap. */
#define COUNTER_MAX (1ull << 63)

static size_t record_size(uint32_t vcpu_count)
{
	return RECORD_FIXED_SIZE + (size_t)vcpu_count * RECORD_VCPU_SIZE;
}

static void put(uint8_t **to, uint64_t value, unsigned int bytes)
{
	for (unsigned int i = 0; i < bytes; i++)
		*(*to)++ = (uint8_t)(value >> 8 * i);
}

static uint64_t get(const uint8_t **from, unsigned int bytes)
{
	uint64_t value = 0;

	for (unsigned int i = 0; i < bytes; i++)
		value |= (uint64_t)(*from)[i] << 8 * i;
	*from += bytes;
	return value;
}

/* A byte that is neither 0 nor 1 is noted in *bad. */
static bool get_bool(const uint8_t **from, bool *bad)
{
	uint64_t value = get(from, 1);

	*bad |= value > 1;
	return value;
}

static void put_timer(uint8_t **to, const struct sc_stimer *timer)
{
	put(to, timer->config, 8);
	put(to, timer->count, 8);
	put(to, timer->due.v, 8);
	put(to, timer->expired.v, 8);
	put(to, timer->coalesced, 8);
	put(to, timer->armed, 1);
	put(to, timer->pending, 1);
	put(to, timer->asserted, 1);
}

/* A timer of a machine that stopped at now. */
static bool get_timer(const uint8_t **from, struct sc_stimer *timer, sc_ref_t now)
{
	bool bad = false;

	timer->config = get(from, 8);
	timer->count = get(from, 8);
	timer->due = sc_ref(get(from, 8));
	timer->expired = sc_ref(get(from, 8));
	timer->coalesced = get(from, 8);
	timer->armed = get_bool(from, &bad);
	timer->pending = get_bool(from, &bad);
	timer->asserted = get_bool(from, &bad);
	return !bad && !sc_stimer_impossible(timer, now);
}

static void put_synic(uint8_t **to, const struct sc_synic *synic)
{
	put(to, synic->control, 8);
	put(to, synic->siefp, 8);
	put(to, synic->simp, 8);
	for (uint32_t n = 0; n < SC_SINT_COUNT; n++)
		put(to, synic->sint[n], 8);
}

static bool get_synic(const uint8_t **from, struct sc_synic *synic)
{
	synic->control = get(from, 8);
	synic->siefp = get(from, 8);
	synic->simp = get(from, 8);
	for (uint32_t n = 0; n < SC_SINT_COUNT; n++)
		synic->sint[n] = get(from, 8);
	return !sc_synic_impossible(synic);
}

static void put_vcpu(uint8_t **to, const struct sc_vcpu *vcpu)
{
	for (uint32_t n = 0; n < SC_STIMER_COUNT; n++)
		put_timer(to, &vcpu->timer[n]);
	put_synic(to, &vcpu->synic);
}

static int get_vcpu(const uint8_t **from, struct sc_vcpu *vcpu, sc_ref_t now)
{
	for (uint32_t n = 0; n < SC_STIMER_COUNT; n++)
		if (!get_timer(from, &vcpu->timer[n], now))
			return -SC_E_VALUE;
	return get_synic(from, &vcpu->synic) ? 0 : -SC_E_VALUE;
}

/* Who holds, as one number: 0 is nobody. What was asked is not kept: the side that goes on begins anew. */
static uint32_t get_holder(const struct sc_partition *partition)
{
	return partition->held ? partition->holder + 1 : 0;
}

static void set_holder(struct sc_partition *partition, uint32_t holder)
{
	partition->held = holder;
	partition->holder = holder ? holder - 1 : 0;
}

static void put_registers(uint8_t **to, const struct sc_partition *partition)
{
	put(to, partition->guest_os_id, 8);
	put(to, partition->reference_tsc, 8);
	put(to, partition->guest_clock, 8);
	for (int i = 0; i < 5; i++)
		put(to, partition->crash[i], 8);
	put(to, partition->crash_ctl, 8);
	put(to, get_holder(partition), 4);
}

static void get_registers(const uint8_t **from, struct sc_partition *partition)
{
	partition->guest_os_id = get(from, 8);
	partition->reference_tsc = get(from, 8);
	partition->guest_clock = get(from, 8);
	for (int i = 0; i < 5; i++)
		partition->crash[i] = get(from, 8);
	partition->crash_ctl = get(from, 8);
	set_holder(partition, (uint32_t)get(from, 4));
}

/* The clock must be one that can run, and the stop point must lie on it. */
static int check_clock(const struct sc_clock *clock, const struct sc_stop_point *stop)
{
	if (!sc_rate_valid(clock->hz) || stop->hz != clock->hz)
		return -SC_E_VALUE;
	if (stop->reference.v >= REFERENCE_MAX || stop->counter.v >= COUNTER_MAX)
		return -SC_E_VALUE;
	return sc_clock_read(clock, stop->counter).v == stop->reference.v ? 0 : -SC_E_VALUE;
}

static int check_registers(const struct sc_partition *partition)
{
	uint32_t sequence = partition->page_sequence;

	/* A sequence is one that sc_page_next_sequence gives; 0 only as long as there was no page. */
	if (sequence == 0xffffffffu || (!sequence && partition->reference_tsc & SC_REFERENCE_TSC_ENABLE))
		return -SC_E_VALUE;
	if (partition->held && partition->holder >= partition->vcpu_count)
		return -SC_E_VALUE;
	return partition->guest_clock & ~SC_GUEST_CLOCK_MASK ? -SC_E_VALUE : 0;
}

int sc_record_save(const struct sc_partition *partition, const struct sc_stop_point *stop, void *buffer,
		   size_t capacity, size_t *size)
{
	size_t length = record_size(partition->vcpu_count);
	uint8_t *to = buffer;

	if (check_clock(&partition->clock, stop))
		return -SC_E_VALUE;
	if (capacity < length)
		return -SC_E_SHORT;
	put(&to, RECORD_MAGIC, 4);
	put(&to, RECORD_VERSION, 4);
	put(&to, length, 4);
	put(&to, partition->vcpu_count, 4);
	put(&to, partition->clock.hz, 4);
	put(&to, partition->page_sequence, 4);
	put(&to, (uint64_t)partition->clock.offset, 8);
	put(&to, stop->counter.v, 8);
	put(&to, stop->reference.v, 8);
	put_registers(&to, partition);
	for (uint32_t vp = 0; vp < partition->vcpu_count; vp++)
		put_vcpu(&to, &partition->vcpu[vp]);
	*size = length;
	return 0;
}

/* Everything up to the vCPUs, from at least RECORD_FIXED_SIZE bytes. */
static int load_fixed(const uint8_t **from, size_t size, struct sc_partition *partition, struct sc_stop_point *stop)
{
	uint64_t length;

	if (get(from, 4) != RECORD_MAGIC)
		return -SC_E_VALUE;
	if (get(from, 4) != RECORD_VERSION)
		return -SC_E_VERSION;
	length = get(from, 4);
	partition->vcpu_count = (uint32_t)get(from, 4);
	if (partition->vcpu_count < 1 || partition->vcpu_count > SC_VCPU_MAX)
		return -SC_E_VALUE;
	if (length != record_size(partition->vcpu_count) || length < size)
		return -SC_E_VALUE;
	if (length > size)
		return -SC_E_SHORT;
	partition->clock.hz = (uint32_t)get(from, 4);
	partition->clock.scale = partition->clock.hz ? sc_rate_scale(partition->clock.hz) : 0;
	partition->page_sequence = (uint32_t)get(from, 4);
	partition->clock.offset = (int64_t)get(from, 8);
	stop->hz = partition->clock.hz;
	stop->counter = sc_ticks(get(from, 8));
	stop->reference = sc_ref(get(from, 8));
	get_registers(from, partition);
	return check_clock(&partition->clock, stop) || check_registers(partition) ? -SC_E_VALUE : 0;
}

int sc_record_load(const void *buffer, size_t size, struct sc_partition *partition, struct sc_stop_point *stop)
{
	struct sc_partition loaded = { 0 };
	struct sc_stop_point loaded_stop;
	const uint8_t *from = buffer;
	int err;

	if (size < RECORD_FIXED_SIZE)
		return -SC_E_SHORT;
	err = load_fixed(&from, size, &loaded, &loaded_stop);
	for (uint32_t vp = 0; !err && vp < loaded.vcpu_count; vp++)
		err = get_vcpu(&from, &loaded.vcpu[vp], loaded_stop.reference);
	if (err)
		return err;
	*partition = loaded;
	*stop = loaded_stop;
	return 0;
}
