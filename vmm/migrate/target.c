/* SPDX-License-Identifier: BSD-2-Clause */
/* The side that takes a machine over: see the header. */
#include "migrate/target.h"

#include "host/deadline.h"
#include "transfer/gap.h"
#include "transfer/pages.h"
#include "migrate/stamps.h"
#include "machine/state.h"

#include <errno.h>
#include <inttypes.h>

#define NS_PER_S 1000000000u
#define NS_PER_MS 1000000u

static enum target_state target_state(const struct target *target)
{
	enum target_state state = TARGET_NEVER;

	ledger_find(&target->incoming->ledger, &target->hello->id, &state);
	return state;
}

static enum target_action target_event(struct target *target, enum target_event event)
{
	return ledger_step(&target->incoming->ledger, &target->hello->id, event);
}

/* ---- What comes ---- */

static int target_welcome(struct target *target, struct error *error)
{
	struct buffer buffer = { 0 };

	frame_put_welcome(&buffer, host_counter_hz());
	return channel_send_buffer(target->channel, FRAME_WELCOME, &buffer, error);
}

static int target_try(struct target *target, const struct frame *frame, struct error *error)
{
	int result = state_try(target->machine, frame->data, frame->size, error);

	if (!result)
		result = channel_send(target->channel, FRAME_CHECKED, NULL, 0, error);
	if (!result && target->hello->dry_run)
		return error_set(error, ECANCELED, "a dry run: it could run here");
	return result;
}

/*
 * The source stops its guest only once it has the answer to all that it has asked, so the guest has not stood still for
 * longer than that is ago; a source that says so would make the guest's clocks count time that has not passed.
 */
static int target_check_gap(const struct target *target, enum sc_clock_policy policy, sc_ns_t gap, struct error *error)
{
	const char *name = target->machine->config.name;
	sc_ns_t stood = sc_ns(host_counter_ns().v - target->asked.v);

	if (!gap_is_possible(gap, stood))
		return error_set(error, EPROTO,
				 "the other side says that %s was stopped %" PRIu64
				 " ms ago, but it still ran when the other side last asked, %" PRIu64 " ms ago",
				 name, gap.v / NS_PER_MS, stood.v / NS_PER_MS);
	return gap_check(name, gap, policy, target->max_gap_s, error);
}

/* What was found stays so: a source asks once. */
static int target_find(struct target *target, struct error *error)
{
	int result;

	if (target->repair.found)
		return error_set(error, EPROTO, "the other side asks twice for the guest's kernel");
	result = repair_find(&target->repair, target->machine, error);
	return result ? result : channel_send(target->channel, FRAME_FOUND, NULL, 0, error);
}

static int target_repair(struct target *target, struct error *error)
{
	if (!target->repair.found)
		return error_set(error, EPROTO, "the other side has not asked for the kernel that is to be repaired");
	return repair_carry_out(&target->repair, error);
}

/* Last of all that can fail; then READY. */
static int target_load(struct target *target, const struct frame *frame, struct error *error)
{
	sc_ns_t began = host_monotonic();
	struct frame_ready ready;
	struct buffer buffer = { 0 };
	struct clock_handoff handoff;
	int result = state_load(target->machine, frame->data, frame->size, &ready.gap, error);

	if (!result)
		result = state_handoff(frame->data, frame->size, &handoff, error);
	if (!result)
		result = target_check_gap(target, handoff.policy, ready.gap, error);
	if (!result)
		result = arrival_check_rate(target->machine, target->hello->hz, error);
	if (!result)
		result = machine_end_hold(target->machine, SC_HOLD_MOVED, error);
	if (!result && handoff.repair)
		result = target_repair(target, error);
	if (!result)
		result = machine_take_disks(target->machine, error);
	if (result)
		return result;
	ready.loading = sc_ns(host_monotonic().v - began.v);
	target_event(target, TARGET_EVENT_LOADED);
	/* From here on until GO, whatever else is going on here: the source relies on it (doc/migration.md). */
	target->channel->limit_ms = target->incoming->limits->stopped_ms;
	target->channel->deadline = deadline_after_ms(target->channel->limit_ms);
	frame_put_ready(&buffer, &ready);
	return channel_send_buffer(target->channel, FRAME_READY, &buffer, error);
}

static int target_go(struct target *target, struct error *error)
{
	struct error ignored;

	if (target_event(target, TARGET_EVENT_GO) != TARGET_ACTION_RUN)
		return error_set(error, EPROTO, "the other side sent GO before the machine's state");
	machine_run_loaded(target->machine);
	target->channel->deadline = sc_ns(0);
	/* If DONE is lost the source asks. */
	channel_send(target->channel, FRAME_DONE, NULL, 0, &ignored);
	return 0;
}

/* Whether the source waits for an answer to it. */
static bool frame_asks(enum frame_type type)
{
	return type == FRAME_CHECK || type == FRAME_SYNC || type == FRAME_STAMP || type == FRAME_CLOCK ||
	       type == FRAME_FIND;
}

static int target_frame(struct target *target, const struct frame *frame, sc_ns_t received, struct error *error)
{
	if (frame_asks(frame->type))
		target->asked = received;
	if (target_state(target) == TARGET_READY && frame->type != FRAME_GO)
		return error_set(error, EPROTO, "the other side sent %s where GO was due", frame_name(frame->type));
	switch (frame->type) {
	case FRAME_CHECK:
		return target_try(target, frame, error);
	case FRAME_PAGES:
	case FRAME_ZEROES:
		return pages_load(&target->machine->memory, frame, error);
	case FRAME_SYNC:
		return channel_send(target->channel, FRAME_SYNCED, NULL, 0, error);
	case FRAME_STAMP:
		return stamps_answer(target->channel, received, error);
	case FRAME_CLOCK:
		return stamps_answer_clock(target->channel, error);
	case FRAME_FIND:
		return target_find(target, error);
	case FRAME_STATE:
		return target_load(target, frame, error);
	case FRAME_GO:
		return target_go(target, error);
	default:
		return error_set(error, EPROTO, "the other side sent %s, which a source never sends here",
				 frame_name(frame->type));
	}
}

/* ---- The incoming meanwhile ---- */

static int target_wanted(const struct target *target, struct error *error)
{
	if (target_state(target) != TARGET_NEVER)
		return 0;
	return error_set(error, ECONNABORTED, "the other side gave the migration up and asked what became of it");
}

/* An incoming_promise_fn: the guest will never run here, and its source may take its disks back. */
static void target_promise(void *context)
{
	struct target *target = context;

	machine_drop_disks(target->machine);
}

/* A wait_watch_fn: somebody asks, and if it is about this migration it has come to its end here. */
static int target_incoming(void *context, struct error *error)
{
	struct target *target = context;

	incoming_serve(target->incoming);
	return target_wanted(target, error);
}

/* ---- All of it ---- */

/* What has come so far allows the source so much time until READY. */
static void target_allow(struct target *target)
{
	target->channel->deadline = sc_ns(target->began.v + allowance_time(&target->allowance).v);
}

static int target_too_slow(const struct target *target, struct error *error)
{
	return error_set(error, ETIMEDOUT,
			 "after %" PRIu64 " s too little of %s has come: a receiver waits %u s, and longer only for a "
			 "source that sends at least %u KiB/s",
			 allowance_time(&target->allowance).v / NS_PER_S, target->hello->name, ALLOWANCE_START_S,
			 ALLOWANCE_BYTES_PER_S / 1024);
}

static int target_receive(struct target *target, struct frame *frame, struct error *error)
{
	bool loading;
	/* A source whose frames are always there would otherwise keep everybody else waiting. */
	int result = channel_glance(target->channel, error);

	if (!result)
		result = target_wanted(target, error);
	if (result)
		return result;
	loading = target_state(target) == TARGET_LOADING;
	if (loading)
		target_allow(target);
	result = channel_receive(target->channel, frame, error);
	if (result == -ETIMEDOUT && loading && !deadline_left_ms(target->channel->deadline))
		return target_too_slow(target, error);
	if (!result)
		allowance_note(&target->allowance, frame);
	return result;
}

void target_open(struct target *target, struct channel *channel, const struct frame_hello *hello,
		 struct incoming *incoming)
{
	const struct wait_watch watch = { .fd = incoming->events, .fn = target_incoming, .context = target };

	*target = (struct target){
		.channel = channel,
		.hello = hello,
		.incoming = incoming,
		.began = host_monotonic(),
		.max_gap_s = GAP_DEFAULT_S,
	};
	channel_watch(channel, &watch);
}

/* They are the source's, as far as this host can see. */
static int target_check_disks(const struct machine *machine, const struct arrival_names *names, struct error *error)
{
	bool named[CONFIG_DISKS_MAX] = { false };

	for (uint32_t n = 0; names && n < CONFIG_DISKS_MAX; n++)
		named[n] = names->disk[n][0];
	return disks_check_locked(&machine->disks, named, error);
}

int target_create(struct target *target, struct machine *machine, const struct arrival_names *names,
		  struct console *console, struct error *error)
{
	struct machine_config config;
	struct frame frame;
	int result = channel_expect(target->channel, FRAME_MACHINE, &frame, error);

	if (!result)
		result = config_get(frame.data, frame.size, &config, error);
	if (!result)
		result = incoming_check_memory(target->incoming, config.memory_size, error);
	if (!result)
		result = arrival_create(machine, target->hello, &config, names, console, error);
	if (result)
		return result;
	result = target_check_disks(machine, names, error);
	if (result) {
		machine_destroy(machine);
		return result;
	}
	target->machine = machine;
	target->allowance = allowance_make(config.memory_size);
	return 0;
}

int target_run(struct target *target, struct error *error)
{
	int result;

	target->asked = host_counter_ns();
	incoming_tell(target->incoming, target_promise, target);
	result = target_welcome(target, error);
	while (!result && target_state(target) != TARGET_RUNNING) {
		struct frame frame;

		result = target_receive(target, &frame, error);
		if (!result)
			result = target_frame(target, &frame, host_counter_ns(), error);
	}
	incoming_tell(target->incoming, NULL, NULL);
	repair_close(&target->repair);
	if (result)
		target_event(target, TARGET_EVENT_FAILED);
	return result;
}
