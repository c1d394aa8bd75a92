/* SPDX-License-Identifier: BSD-2-Clause */
/* Guest time: see the header. */
#include "machine/clock.h"

#include "base/layout.h"
#include "base/log.h"

#include <errno.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

/*
 * A latch that found its interrupt active is tried again: soon, for a handler that writes EOM has nearly ended, and
 * then at twice the distance each time, for every try takes the vCPUs out of the guest.
 */
#define LATCH_RETRY_MIN_NS 50000u
#define LATCH_RETRY_MAX_NS 800000u

/*
 * The host's timers are slewed, and the guest's counter is not: by 83333 ppm of a wait as chronyd does it, by a little
 * more than a tenth as far as adjtimex(2) goes. So a long wait is ended early by an eighth, and what is left of it is
 * waited for anew. A short one may be late by a tenth.
 */
#define LONG_WAIT_NS 1000000u
#define LONG_WAIT_PART 8u

static const char *const policy_names[] = { [SC_CLOCK_ADVANCE] = "advance", [SC_CLOCK_FREEZE] = "freeze" };

bool clock_policy_parse(const char *text, enum sc_clock_policy *policy)
{
	for (int n = SC_CLOCK_ADVANCE; n <= SC_CLOCK_FREEZE; n++) {
		if (strcmp(text, policy_names[n]) != 0)
			continue;
		*policy = (enum sc_clock_policy)n;
		return true;
	}
	return false;
}

const char *clock_policy_name(enum sc_clock_policy policy)
{
	return policy_names[policy];
}

static sc_ticks_t clock_counter(const struct clock *clock)
{
	return sc_ticks(host_counter().v - clock->offset);
}

/* The guest's counter shall read `counter` when the host's reads `host`. */
static int clock_set_counter(struct clock *clock, sc_ticks_t host, sc_ticks_t counter, struct error *error)
{
	uint64_t offset = host.v - counter.v;
	int result = host_vm_set_counter_offset(clock->vm, offset, error);

	if (!result)
		clock->offset = offset;
	return result;
}

int clock_init(struct clock *clock, struct host_vm *vm, struct memory *memory, uint32_t vcpus, struct error *error)
{
	uint32_t hz = host_counter_hz();

	*clock = (struct clock){
		.vm = vm,
		.memory = memory,
		.stopped = true,
		.latch_retry = sc_ns(LATCH_RETRY_MIN_NS),
		.timer = -1,
	};
	lock_init(&clock->lock, LOCK_CLOCK);
	clock->guest_event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (clock->guest_event_fd < 0)
		return error_set(error, errno, "no event descriptor for the guest's clock (%s)", strerror(errno));
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
	if (clock->guest_event_fd >= 0)
		close(clock->guest_event_fd);
	lock_destroy(&clock->lock);
}

static void clock_write_page(struct clock *clock)
{
	const struct sc_partition *partition = &clock->partition;
	uint64_t gpa = partition->reference_tsc & SC_REFERENCE_TSC_GPA_MASK;
	void *page = memory_span(clock->memory, gpa, SC_HV_PAGE_SIZE);

	if (!(partition->reference_tsc & SC_REFERENCE_TSC_ENABLE))
		return;
	if (!page) {
		log_guest(&clock->refusals_logged,
			  "the guest put its reference TSC page at 0x%llx, which is not RAM: it stays invalid",
			  (unsigned long long)gpa);
		return;
	}
	sc_page_write(page, &partition->clock, partition->page_sequence);
	memory_mark_dirty(clock->memory, gpa, sizeof(struct sc_reference_tsc_page));
}

static struct sc_stimer *clock_timer_of(struct clock *clock, const struct sc_delivery *delivery)
{
	return &clock->partition.vcpu[delivery->vp].timer[delivery->timer];
}

/* True if the interrupt goes out as a level; messages never do, for nothing but their slot tells that they were taken.
 */
static bool clock_is_level(const struct clock *clock, const struct sc_delivery *delivery)
{
	return !delivery->message && clock->partition.guest_clock & SC_GUEST_CLOCK_REWRITES_TIMER;
}

static void clock_raise(struct clock *clock, const struct sc_delivery *delivery, sc_ref_t now)
{
	int result = host_vm_set_ppi(clock->vm, delivery->vp, delivery->intid, true);

	if (result)
		log_guest(&clock->refusals_logged, "KVM refuses INTID %u of vCPU %u (%s)", delivery->intid,
			  delivery->vp, strerror(-result));
	if (!clock_timer_of(clock, delivery)->asserted)
		clock->raised[delivery->vp][delivery->timer] = now;
	sc_stimer_delivered(clock_timer_of(clock, delivery), !result);
}

static void clock_raise_all(struct clock *clock, sc_ref_t now)
{
	struct sc_delivery delivery;
	uint32_t cursor = 0;

	while (sc_partition_pending(&clock->partition, &cursor, &delivery))
		if (clock_is_level(clock, &delivery))
			clock_raise(clock, &delivery, now);
}

/* The slot of a message, if the guest has freed it; if not, it is asked to tell when it does. NULL while it must wait.
 */
static struct sc_message *clock_free_slot(struct clock *clock, const struct sc_delivery *delivery)
{
	struct sc_message *slot = memory_span(clock->memory, delivery->slot_gpa, sizeof(*slot));

	if (!slot || sc_message_slot_free(slot))
		return slot;
	memory_mark_dirty(clock->memory, delivery->slot_gpa, sizeof(*slot));
	return NULL;
}

/* The next expiry from *cursor on that the guest may have as an edge. */
static bool clock_next_edge(struct clock *clock, uint32_t *cursor, struct sc_delivery *delivery)
{
	while (sc_partition_pending(&clock->partition, cursor, delivery))
		if (!clock_is_level(clock, delivery) && (!delivery->message || clock_free_slot(clock, delivery)))
			return true;
	return false;
}

static bool clock_has_edge(struct clock *clock)
{
	struct sc_delivery delivery;
	uint32_t cursor = 0;

	return clock_next_edge(clock, &cursor, &delivery);
}

static void clock_arm(struct clock *clock, sc_ns_t delay)
{
	clock->aimed = false;
	host_timer_arm(clock->timer, delay);
}

static void clock_disarm(struct clock *clock)
{
	clock->aimed = false;
	host_timer_disarm(clock->timer);
}

void clock_reset(struct clock *clock)
{
	lock_take(&clock->lock);
	sc_partition_reset(&clock->partition);
	memset(clock->raised, 0, sizeof(clock->raised));
	clock_disarm(clock);
	lock_drop(&clock->lock);
}

/* The wake-up is at `deadline` from now on; the host's timer is left alone if it is there already. */
static void clock_aim(struct clock *clock, sc_ref_t now, sc_ref_t deadline)
{
	sc_ns_t wait = sc_ref_until(now, deadline);

	if (clock->aimed && clock->aim.v == deadline.v)
		return;
	if (wait.v > LONG_WAIT_NS)
		wait.v -= wait.v / LONG_WAIT_PART;
	clock_arm(clock, wait);
	clock->aim = deadline;
	clock->aimed = true;
}

/* Raises what is due and sets the wake-up for what is next. With the lock, while time runs. */
static void clock_service(struct clock *clock)
{
	sc_ticks_t counter = clock_counter(clock);
	sc_ref_t now = sc_clock_read(&clock->partition.clock, counter), deadline;

	sc_partition_expire(&clock->partition, counter);
	clock_raise_all(clock, now);
	if (clock_has_edge(clock))
		/* For the thread that may stop the vCPUs. */
		clock_arm(clock, sc_ns(0));
	else if (sc_partition_deadline(&clock->partition, &deadline))
		clock_aim(clock, now, deadline);
	else
		clock_disarm(clock);
}

void clock_expire(struct clock *clock)
{
	lock_take(&clock->lock);
	host_timer_acknowledge(clock->timer);
	clock->aimed = false;
	if (!clock->stopped)
		clock_service(clock);
	lock_drop(&clock->lock);
}

bool clock_needs_latch(struct clock *clock)
{
	bool needed;

	lock_take(&clock->lock);
	needed = !clock->stopped && clock_has_edge(clock);
	lock_drop(&clock->lock);
	return needed;
}

static void clock_place_message(struct clock *clock, const struct sc_delivery *delivery, sc_ref_t now)
{
	struct sc_message message;

	sc_message_fill(&message, &clock->partition, delivery, now);
	sc_message_place(memory_span(clock->memory, delivery->slot_gpa, sizeof(message)), &message);
	memory_mark_dirty(clock->memory, delivery->slot_gpa, sizeof(message));
}

/* False if the interrupt is still active: then the message waits with it, so that the guest gets both or neither. */
static bool clock_latch_edge(struct clock *clock, const struct sc_delivery *delivery, sc_ref_t now)
{
	struct sc_stimer *timer = clock_timer_of(clock, delivery);
	int result = delivery->interrupt ? host_gic_latch_ppi(clock->vm, delivery->vp, delivery->intid) : 0;

	if (result == -EAGAIN)
		return false;
	if (result && result != -EALREADY)
		log_guest(&clock->refusals_logged, "KVM refuses to latch INTID %u of vCPU %u (%s)", delivery->intid,
			  delivery->vp, strerror(-result));
	if (delivery->message)
		clock_place_message(clock, delivery, now);
	/* A message reaches the guest whether or not its interrupt is one with another. */
	if (result == -EALREADY && !delivery->message)
		sc_stimer_merged(timer);
	else
		sc_stimer_delivered(timer, false);
	return true;
}

/* False if a latch must wait. */
static bool clock_latch_all(struct clock *clock)
{
	sc_ticks_t counter = clock_counter(clock);
	struct sc_delivery delivery;
	uint32_t cursor = 0;
	bool done = true;

	/* Periods that passed while the vCPUs were being stopped coalesce with what they were stopped for. */
	sc_partition_expire(&clock->partition, counter);
	while (clock_next_edge(clock, &cursor, &delivery))
		if (!clock_latch_edge(clock, &delivery, sc_clock_read(&clock->partition.clock, counter)))
			done = false;
	return done;
}

static void clock_retry(struct clock *clock)
{
	clock_arm(clock, clock->latch_retry);
	if (clock->latch_retry.v < LATCH_RETRY_MAX_NS)
		clock->latch_retry.v *= 2;
}

void clock_latch(struct clock *clock)
{
	lock_take(&clock->lock);
	/* Time may have been stopped since clock_needs_latch(): what is pending then waits for its start. */
	if (!clock->stopped) {
		if (clock_latch_all(clock)) {
			clock->latch_retry = sc_ns(LATCH_RETRY_MIN_NS);
			clock_service(clock);
		} else {
			clock_retry(clock);
		}
	}
	lock_drop(&clock->lock);
}

/* Lines that the hypercall's write has released fall. */
static void clock_lower(struct clock *clock, uint32_t vcpu, const struct sc_vcpu *before)
{
	for (uint32_t n = 0; n < SC_STIMER_COUNT; n++)
		if (before->timer[n].asserted && !clock->partition.vcpu[vcpu].timer[n].asserted)
			host_vm_set_ppi(clock->vm, vcpu, sc_stimer_intid(&before->timer[n]), false);
}

/* Messages to a page that is no memory wait until the guest moves it. */
static void clock_check_message_page(struct clock *clock, uint32_t vcpu)
{
	uint64_t simp = clock->partition.vcpu[vcpu].synic.simp;

	if (simp & SC_SIMP_ENABLE && !memory_span(clock->memory, simp & SC_SIMP_GPA_MASK, SC_HV_PAGE_SIZE))
		log_guest(&clock->refusals_logged,
			  "the guest put the message page of vCPU %u at 0x%llx, which is not RAM: "
			  "messages wait",
			  vcpu, (unsigned long long)(simp & SC_SIMP_GPA_MASK));
}

void clock_hypercall(struct clock *clock, uint32_t vcpu, const struct sc_call *call, const void *input, void *output,
		     struct sc_call_outcome *outcome)
{
	struct sc_vcpu before;

	lock_take(&clock->lock);
	before = clock->partition.vcpu[vcpu];
	sc_call_run(&clock->partition, vcpu, call, input, output, clock_counter(clock), outcome);
	if (outcome->effects & SC_EFFECT_PAGE)
		clock_write_page(clock);
	if (outcome->effects & SC_EFFECT_SYNIC)
		clock_check_message_page(clock, vcpu);
	if (outcome->effects & (SC_EFFECT_TIMER | SC_EFFECT_SYNIC)) {
		clock_lower(clock, vcpu, &before);
		clock_service(clock);
	}
	if (outcome->effects & (SC_EFFECT_GUEST_CLOCK | SC_EFFECT_HOLD))
		eventfd_write(clock->guest_event_fd, 1);
	if (outcome->refused)
		log_guest(&clock->refusals_logged, "vCPU %u: register 0x%x refused: %s", vcpu,
			  outcome->refused_register, outcome->refused);
	lock_drop(&clock->lock);
}

void clock_stop(struct clock *clock)
{
	lock_take(&clock->lock);
	if (!clock->stopped) {
		clock->stop = sc_partition_stop(&clock->partition, clock_counter(clock));
		clock->stopped = true;
		clock_disarm(clock);
	}
	lock_drop(&clock->lock);
}

/* Time goes on with the gap counted: the counter has gone on by itself. Only that there was a gap is news. */
static void clock_note_gap(struct clock *clock)
{
	clock->partition.page_sequence = sc_page_next_sequence(clock->partition.page_sequence);
	clock_write_page(clock);
}

/* Time goes on where it stopped. */
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

	lock_take(&clock->lock);
	if (clock->stopped && policy == SC_CLOCK_FREEZE)
		result = clock_continue(clock, error);
	else if (clock->stopped)
		clock_note_gap(clock);
	if (!result) {
		clock->stopped = false;
		clock_service(clock);
	}
	lock_drop(&clock->lock);
	return result;
}

bool clock_is_stopped(struct clock *clock)
{
	bool stopped;

	lock_take(&clock->lock);
	stopped = clock->stopped;
	lock_drop(&clock->lock);
	return stopped;
}

sc_ref_t clock_now(const struct clock *clock)
{
	return clock->stopped ? clock->stop.reference : sc_clock_read(&clock->partition.clock, clock_counter(clock));
}

sc_ref_t clock_reference(struct clock *clock)
{
	sc_ref_t now;

	lock_take(&clock->lock);
	now = clock_now(clock);
	lock_drop(&clock->lock);
	return now;
}

struct sc_follow clock_follow(struct clock *clock, uint32_t online, enum sc_move move)
{
	struct sc_follow follow;

	lock_take(&clock->lock);
	follow = sc_partition_follow(&clock->partition, online, move);
	lock_drop(&clock->lock);
	return follow;
}

/* An edge: what is asked has changed. */
static void clock_announce(struct clock *clock)
{
	host_vm_set_spi(clock->vm, SC_MIGRATION_INTID, true);
	host_vm_set_spi(clock->vm, SC_MIGRATION_INTID, false);
}

void clock_request(struct clock *clock, uint64_t asked)
{
	bool is_new;

	lock_take(&clock->lock);
	is_new = sc_hold_ask(&clock->partition, asked);
	lock_drop(&clock->lock);
	if (is_new)
		clock_announce(clock);
}

bool clock_is_held(struct clock *clock)
{
	bool held;

	lock_take(&clock->lock);
	held = clock->partition.held;
	lock_drop(&clock->lock);
	return held;
}

bool clock_end_hold(struct clock *clock, uint64_t outcome, struct sc_hold_answer *answer)
{
	bool ended;

	lock_take(&clock->lock);
	ended = sc_hold_end(&clock->partition, outcome, answer);
	lock_drop(&clock->lock);
	return ended;
}

bool clock_is_prepared(struct clock *clock)
{
	bool prepared;

	lock_take(&clock->lock);
	prepared = clock->partition.guest_clock & SC_GUEST_CLOCK_ON_PAGE;
	lock_drop(&clock->lock);
	return prepared;
}

uint64_t clock_crash_register(struct clock *clock, uint32_t n)
{
	uint64_t value;

	lock_take(&clock->lock);
	value = clock->partition.crash[n];
	lock_drop(&clock->lock);
	return value;
}

uint64_t clock_offset(struct clock *clock)
{
	uint64_t offset;

	lock_take(&clock->lock);
	offset = clock->offset;
	lock_drop(&clock->lock);
	return offset;
}

sc_ns_t clock_stopped_at(const struct clock *clock)
{
	return sc_rate_ticks_to_ns(clock->stop.hz, sc_ticks(clock->stop.counter.v + clock->offset));
}

sc_ticks_t clock_stopped_counter(const struct clock *clock)
{
	return clock->stop.counter;
}

uint32_t clock_hz(const struct clock *clock)
{
	return clock->partition.clock.hz;
}

uint32_t clock_stopped_hz(const struct clock *clock)
{
	return clock->stop.hz;
}

int clock_save(struct clock *clock, struct buffer *state, struct error *error)
{
	uint8_t record[SC_RECORD_MAX];
	size_t size;
	int result;

	lock_take(&clock->lock);
	result = sc_record_save(&clock->partition, &clock->stop, record, sizeof(record), &size);
	lock_drop(&clock->lock);
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
	/* Whatever was asked where it comes from, is not any more. */
	if (clock->partition.guest_clock & SC_GUEST_CLOCK_HOLDS)
		clock_announce(clock);
	lock_take(&clock->lock);
	clock->stopped = false;
	for (uint32_t i = 0; i < SC_VCPU_MAX * SC_STIMER_COUNT; i++)
		clock->raised[i / SC_STIMER_COUNT][i % SC_STIMER_COUNT] = clock->stop.reference;
	clock_service(clock);
	lock_drop(&clock->lock);
}
