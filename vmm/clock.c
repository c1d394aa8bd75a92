/* SPDX-License-Identifier: BSD-2-Clause */
/* Guest time: see the header. */
#include "clock.h"

#include "layout.h"
#include "log.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

/* A latch that found its interrupt active is tried again after this long. */
#define LATCH_RETRY_NS 1000000u

static sc_ticks_t clock_counter(const struct clock *clock)
{
	return sc_ticks(host_counter().v - clock->offset);
}

/* The guest's counter shall read `counter` when the host's reads `host`. */
static int clock_set_counter(struct clock *clock, sc_ticks_t host, sc_ticks_t counter, struct error *error)
{
	clock->offset = host.v - counter.v;
	return host_vm_set_counter_offset(clock->vm, clock->offset, error);
}

int clock_init(struct clock *clock, struct host_vm *vm, struct memory *memory, uint32_t vcpus, struct error *error)
{
	uint32_t hz = host_counter_hz();

	*clock = (struct clock){ .vm = vm, .memory = memory, .stopped = true };
	pthread_mutex_init(&clock->lock, NULL);
	clock->timer = host_timer_create();
	if (clock->timer < 0)
		return error_set(error, -clock->timer, "no timer for the guest's clock (%s)", strerror(-clock->timer));
	if (sc_partition_init(&clock->partition, vcpus, hz, sc_ticks(0)))
		return error_set(error, EINVAL,
				 "this host's counter ticks at %u Hz: Seaclock knows rates of %u to %u Hz", hz,
				 SC_RATE_MIN_HZ, SC_RATE_MAX_HZ);
	clock->stop = sc_partition_stop(&clock->partition, sc_ticks(0));
	return clock_set_counter(clock, host_counter(), sc_ticks(0), error);
}

void clock_destroy(struct clock *clock)
{
	if (clock->timer >= 0)
		close(clock->timer);
	pthread_mutex_destroy(&clock->lock);
}

static void clock_write_page(struct clock *clock)
{
	const struct sc_partition *partition = &clock->partition;
	uint64_t gpa = partition->reference_tsc & SC_REFERENCE_TSC_GPA_MASK;
	void *page = memory_span(clock->memory, gpa, SC_HV_PAGE_SIZE);

	if (!(partition->reference_tsc & SC_REFERENCE_TSC_ENABLE))
		return;
	if (!page) {
		log_guest(&clock->refused,
			  "the guest put its reference TSC page at 0x%llx, which is not RAM: it stays invalid",
			  (unsigned long long)gpa);
		return;
	}
	sc_page_write(page, &partition->clock, partition->page_sequence);
	memory_mark_dirty(clock->memory, gpa, sizeof(struct sc_reference_tsc_page));
}

static bool clock_uses_levels(const struct clock *clock)
{
	return clock->partition.guest_clock & SC_GUEST_CLOCK_REWRITES_TIMER;
}

static void clock_raise(struct clock *clock, uint32_t vcpu, struct sc_stimer *timer)
{
	int result = host_vm_set_ppi(clock->vm, vcpu, sc_stimer_intid(timer), true);

	if (result)
		log_guest(&clock->refused, "KVM refuses INTID %u of vCPU %u (%s)", sc_stimer_intid(timer), vcpu,
			  strerror(-result));
	sc_stimer_delivered(timer, !result);
}

static void clock_raise_all(struct clock *clock)
{
	for (uint32_t vcpu = 0; vcpu < clock->partition.vcpu_count; vcpu++)
		for (uint32_t n = 0; n < SC_STIMER_COUNT; n++)
			if (clock->partition.vcpu[vcpu].timer[n].pending)
				clock_raise(clock, vcpu, &clock->partition.vcpu[vcpu].timer[n]);
}

/* Raises what is due and sets the wake-up for what is next. With the lock, while time runs. */
static void clock_service(struct clock *clock)
{
	sc_ticks_t now = clock_counter(clock);
	bool due = sc_partition_expire(&clock->partition, now);
	sc_ref_t deadline;

	if (due && clock_uses_levels(clock))
		clock_raise_all(clock);
	else if (due)
		/* For the thread that may stop the vCPUs. */
		return host_timer_arm(clock->timer, sc_ns(0));
	if (sc_partition_deadline(&clock->partition, &deadline))
		host_timer_arm(clock->timer, sc_ref_until(sc_clock_read(&clock->partition.clock, now), deadline));
	else
		host_timer_disarm(clock->timer);
}

void clock_expire(struct clock *clock)
{
	host_timer_acknowledge(clock->timer);
	pthread_mutex_lock(&clock->lock);
	if (!clock->stopped)
		clock_service(clock);
	pthread_mutex_unlock(&clock->lock);
}

static bool partition_is_pending(const struct sc_partition *partition)
{
	for (uint32_t vcpu = 0; vcpu < partition->vcpu_count; vcpu++)
		for (uint32_t n = 0; n < SC_STIMER_COUNT; n++)
			if (partition->vcpu[vcpu].timer[n].pending)
				return true;
	return false;
}

bool clock_needs_latch(struct clock *clock)
{
	bool needed;

	pthread_mutex_lock(&clock->lock);
	needed = !clock->stopped && !clock_uses_levels(clock) && partition_is_pending(&clock->partition);
	pthread_mutex_unlock(&clock->lock);
	return needed;
}

/* False if the interrupt is still active and the latch must wait. */
static bool clock_latch_timer(struct clock *clock, uint32_t vcpu, struct sc_stimer *timer)
{
	int result = host_gic_latch_ppi(clock->vm, vcpu, sc_stimer_intid(timer));

	if (result == -EAGAIN)
		return false;
	if (result)
		log_guest(&clock->refused, "KVM refuses to latch INTID %u of vCPU %u (%s)", sc_stimer_intid(timer),
			  vcpu, strerror(-result));
	sc_stimer_delivered(timer, false);
	return true;
}

/* False if a latch must wait. */
static bool clock_latch_all(struct clock *clock)
{
	bool done = true;

	for (uint32_t vcpu = 0; vcpu < clock->partition.vcpu_count; vcpu++)
		for (uint32_t n = 0; n < SC_STIMER_COUNT; n++) {
			struct sc_stimer *timer = &clock->partition.vcpu[vcpu].timer[n];

			if (timer->pending && !clock_latch_timer(clock, vcpu, timer))
				done = false;
		}
	return done;
}

void clock_latch(struct clock *clock)
{
	pthread_mutex_lock(&clock->lock);
	/* Time may have been stopped since clock_needs_latch(): what is pending then waits for its start. */
	if (!clock->stopped) {
		if (clock_latch_all(clock))
			clock_service(clock);
		else
			host_timer_arm(clock->timer, sc_ns(LATCH_RETRY_NS));
	}
	pthread_mutex_unlock(&clock->lock);
}

/* Lines that the hypercall's write has released fall. */
static void clock_lower(struct clock *clock, uint32_t vcpu, const struct sc_vcpu *before)
{
	for (uint32_t n = 0; n < SC_STIMER_COUNT; n++)
		if (before->timer[n].asserted && !clock->partition.vcpu[vcpu].timer[n].asserted)
			host_vm_set_ppi(clock->vm, vcpu, sc_stimer_intid(&before->timer[n]), false);
}

void clock_hypercall(struct clock *clock, uint32_t vcpu, const struct sc_call *call, const void *input, void *output,
		     struct sc_call_outcome *outcome)
{
	struct sc_vcpu before;

	pthread_mutex_lock(&clock->lock);
	before = clock->partition.vcpu[vcpu];
	sc_call_run(&clock->partition, vcpu, call, input, output, clock_counter(clock), outcome);
	if (outcome->effects & SC_EFFECT_PAGE)
		clock_write_page(clock);
	if (outcome->effects & SC_EFFECT_TIMER) {
		clock_lower(clock, vcpu, &before);
		clock_service(clock);
	}
	if (outcome->refused)
		log_guest(&clock->refused, "vCPU %u: register 0x%x refused: %s", vcpu, outcome->refused_register,
			  outcome->refused);
	pthread_mutex_unlock(&clock->lock);
}

void clock_stop(struct clock *clock)
{
	pthread_mutex_lock(&clock->lock);
	if (!clock->stopped) {
		clock->stop = sc_partition_stop(&clock->partition, clock_counter(clock));
		clock->stopped = true;
		host_timer_disarm(clock->timer);
	}
	pthread_mutex_unlock(&clock->lock);
}

static int clock_continue(struct clock *clock, struct error *error)
{
	sc_ticks_t counter;

	if (sc_partition_resume(&clock->partition, &clock->stop, clock->partition.clock.hz, SC_CLOCK_FREEZE, sc_ns(0),
				&counter))
		return error_set(error, EINVAL, "the guest's clock cannot go on at %u Hz", clock->partition.clock.hz);
	clock_write_page(clock);
	return clock_set_counter(clock, host_counter(), counter, error);
}

int clock_start(struct clock *clock, enum sc_clock_policy policy, struct error *error)
{
	int result = 0;

	pthread_mutex_lock(&clock->lock);
	/* Under SC_CLOCK_ADVANCE nothing is to be done: the host's counter has gone on meanwhile, the offset is as it
	 * was. */
	if (clock->stopped && policy == SC_CLOCK_FREEZE)
		result = clock_continue(clock, error);
	if (!result) {
		clock->stopped = false;
		clock_service(clock);
	}
	pthread_mutex_unlock(&clock->lock);
	return result;
}

sc_ref_t clock_reference(struct clock *clock)
{
	sc_ref_t now;

	pthread_mutex_lock(&clock->lock);
	now = clock->stopped ? clock->stop.reference : sc_clock_read(&clock->partition.clock, clock_counter(clock));
	pthread_mutex_unlock(&clock->lock);
	return now;
}

enum sc_level clock_level(struct clock *clock, uint32_t online)
{
	enum sc_level level;

	pthread_mutex_lock(&clock->lock);
	level = sc_partition_level(&clock->partition, online);
	pthread_mutex_unlock(&clock->lock);
	return level;
}

bool clock_on_page(struct clock *clock)
{
	bool on_page;

	pthread_mutex_lock(&clock->lock);
	on_page = clock->partition.guest_clock & SC_GUEST_CLOCK_ON_PAGE;
	pthread_mutex_unlock(&clock->lock);
	return on_page;
}

uint64_t clock_crash_register(struct clock *clock, uint32_t n)
{
	uint64_t value;

	pthread_mutex_lock(&clock->lock);
	value = clock->partition.crash[n];
	pthread_mutex_unlock(&clock->lock);
	return value;
}

sc_ns_t clock_stopped_at(const struct clock *clock)
{
	return sc_rate_ticks_to_ns(clock->stop.hz, sc_ticks(clock->stop.counter.v + clock->offset));
}

int clock_save(struct clock *clock, struct buffer *state, struct error *error)
{
	uint8_t record[SC_RECORD_MAX];
	size_t size;
	int result;

	pthread_mutex_lock(&clock->lock);
	result = sc_record_save(&clock->partition, &clock->stop, record, sizeof(record), &size);
	pthread_mutex_unlock(&clock->lock);
	if (result)
		return error_set(error, EINVAL, "the record of the guest's clock does not fit into %zu bytes",
				 sizeof(record));
	buffer_put_u64(state, clock_stopped_at(clock).v);
	buffer_put_block(state, record, size);
	return 0;
}

/* The time between the stop, by the source's counter, and now, by this host's; never negative. */
static sc_ns_t clock_gap(sc_ns_t now, sc_ns_t stopped, int64_t difference_ns)
{
	int64_t gap = (int64_t)(now.v - stopped.v - (uint64_t)difference_ns);

	return sc_ns(gap > 0 ? (uint64_t)gap : 0);
}

int clock_load(struct clock *clock, struct cursor *state, const struct clock_handoff *handoff,
	       struct host_rebase *rebase, sc_ns_t *gap, struct error *error)
{
	sc_ns_t stopped = sc_ns(cursor_u64(state));
	size_t size;
	const void *record = cursor_block(state, &size);
	struct sc_partition partition;
	struct sc_stop_point stop;
	uint32_t hz = host_counter_hz();
	sc_ticks_t host, counter;

	if (!record || sc_record_load(record, size, &partition, &stop) ||
	    partition.vcpu_count != clock->partition.vcpu_count)
		return error_set(error, EPROTO, "the record of the guest's clock in the stream is damaged");
	host = host_counter();
	*gap = clock_gap(sc_rate_ticks_to_ns(hz, host), stopped, handoff->difference_ns);
	*rebase = (struct host_rebase){ .counter = stop.counter, .from_hz = stop.hz, .to_hz = hz };
	if (sc_partition_resume(&partition, &stop, hz, handoff->policy, *gap, &counter))
		return error_set(error, EINVAL, "the guest's clock cannot go on at this host's rate of %u Hz", hz);
	clock->partition = partition;
	clock->stop = stop;
	clock_write_page(clock);
	return clock_set_counter(clock, host, counter, error);
}

void clock_run_loaded(struct clock *clock)
{
	pthread_mutex_lock(&clock->lock);
	clock->stopped = false;
	clock_service(clock);
	pthread_mutex_unlock(&clock->lock);
}
