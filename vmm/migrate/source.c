/* SPDX-License-Identifier: BSD-2-Clause */
/* The side that gives a machine away: see the header. */
#include "migrate/source.h"

#include "host/deadline.h"
#include "base/layout.h"
#include "base/log.h"
#include "transfer/arrival.h"
#include "transfer/gap.h"
#include "transfer/hold.h"
#include "transfer/repair.h"
#include "migrate/ahead.h"
#include "migrate/comparison.h"
#include "migrate/question.h"
#include "migrate/retake.h"
#include "migrate/stamps.h"
#include "machine/state.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#define NS_PER_MS 1000000u

struct source {
	struct machine *machine;
	struct channel *channel;
	const struct source_options *options;
	struct report *report;
	struct error *error;
	enum source_state state;
	struct precopy precopy;
	struct comparison comparison;
	struct repair repair;
	bool asked;	  /* the guest was asked to prepare, or the target to find its kernel */
	bool prepared;	  /* and has done so: it is to hold */
	uint32_t flushes; /* of its disks while it ran */
	sc_ns_t phase;	  /* when the current part of the downtime began */
	sc_ns_t stop_ordered;
	int64_t difference_ns; /* as used for the guest's clock */
};

static enum source_action source_event(struct source *source, enum source_event event)
{
	enum source_action action;

	source->state = source_step(source->state, event, &action);
	return action;
}

/* ---- Whether it can move ---- */

static int source_hello(struct source *source, bool dry_run)
{
	struct frame_hello hello = arrival_hello(source->machine, source->report->level);
	struct frame frame;
	int result;

	hello.id = source->report->id;
	hello.dry_run = dry_run;
	result = arrival_announce(&source->channel->sink, &hello, &source->machine->config, source->error);
	if (!result)
		result = channel_expect(source->channel, FRAME_WELCOME, &frame, source->error);
	if (!result)
		result = frame_get_welcome(frame.data, frame.size, &source->report->to_hz, source->error);
	if (!result)
		sc_offset_init(&source->comparison.offset, source->report->from_hz, source->report->to_hz);
	return result;
}

static int source_check_rate(struct source *source, const struct sc_follow *follow)
{
	source->report->level = follow->level;
	return admission_check(source->machine->config.name, follow, source->report->from_hz, source->report->to_hz,
			       &source->options->terms, source->error);
}

/* Lets the target try the registers; they change until the stop, but not in what a KVM takes. */
static int source_check_registers(struct source *source)
{
	struct buffer buffer = { 0 };
	struct frame frame;
	int result;

	vcpus_park(&source->machine->vcpus);
	result = state_save_trial(source->machine, &buffer, source->error);
	vcpus_unpark(&source->machine->vcpus);
	if (source->repair.found)
		state_put_repair(&buffer);
	if (result)
		buffer_free(&buffer);
	else
		result = channel_send_buffer(source->channel, FRAME_CHECK, &buffer, source->error);
	return result ? result : channel_expect(source->channel, FRAME_CHECKED, &frame, source->error);
}

static int source_check(struct source *source, bool dry_run)
{
	struct sc_follow follow = machine_follow(source->machine, SC_MOVE_ASKED);
	int result;

	report_begin(source->report, source->machine, source->options->policy, source->options->bandwidth_mib,
		     !source->channel->transport.tls);
	source->report->level = follow.level;
	source->report->inferred = follow.inferred;
	result = source_hello(source, dry_run);
	if (!result)
		result =
			repair_check(&source->repair, source->machine, source->report->to_hz,
				     source->options->limits->hold_ms, &source->options->terms, &follow, source->error);
	if (!result)
		result = source_check_rate(source, &follow);
	if (!result && follow.inferred && source->report->from_hz != source->report->to_hz)
		log_line("%s: its level %s is inferred, and the operator answers for it", source->machine->config.name,
			 machine_level_name(follow.level));
	return result ? result : source_check_registers(source);
}

/* A wait_watch_fn: the guest is down, and nobody need wait for what it would do. */
static int source_down(void *context, struct error *error)
{
	return machine_check_alive(context, "migrated", error);
}

/* ---- While the guest runs ---- */

/* True if the guest can be stopped now. */
static int source_check_stop(struct source *source, bool *enough)
{
	int result = precopy_check(&source->precopy, enough, source->error);

	if (result)
		return result;
	if (*enough)
		return comparison_check(&source->comparison, enough, source->error);
	comparison_rest(&source->comparison);
	return 0;
}

static struct hold_wait source_wait(const struct source *source, int limit_ms)
{
	return (struct hold_wait){ limit_ms, source->channel->watch, source->channel->watches };
}

/*
 * Once, before the last round, of a guest that is to go to another rate: one that can be asked prepares, and the target
 * finds the kernel of one that is repaired.
 */
static bool source_must_prepare(const struct source *source)
{
	return !source->asked && (source->repair.found || (source->report->level == SC_LEVEL_COOPERATIVE &&
							   source->report->from_hz != source->report->to_hz));
}

static int source_find(struct source *source)
{
	struct frame frame;
	int result = channel_send(source->channel, FRAME_FIND, NULL, 0, source->error);

	return result ? result : channel_expect(source->channel, FRAME_FOUND, &frame, source->error);
}

static int source_prepare_guest(struct source *source)
{
	const struct hold_wait wait = source_wait(source, source->options->limits->prepare_ms);
	int result = hold_prepare(source->machine, &wait, &source->prepared, source->error);
	struct sc_follow follow;

	if (result || source->prepared || source->options->terms.force)
		return result;
	/* Its user may have chosen another clocksource meanwhile, which it has declared. */
	follow = machine_follow(source->machine, SC_MOVE_ASKED);
	result = source_check_rate(source, &follow);
	if (result)
		return result;
	return error_set(source->error, ETIME,
			 "%s was asked to put its clock on the reference page before it moves, and has not done so in "
			 "%d ms: it is too busy, or hangs; it runs on here",
			 source->machine->config.name, wait.limit_ms);
}

static int source_prepare(struct source *source)
{
	source->asked = true;
	return source->repair.found ? source_find(source) : source_prepare_guest(source);
}

/* Right before the stop. What is known of the clocks ages meanwhile. */
static int source_catch_up(struct source *source, bool *enough)
{
	int result = precopy_catch_up(&source->precopy, enough, source->error);

	return result || !*enough ? result : comparison_check(&source->comparison, enough, source->error);
}

/* After each round: all that is to be done before the guest can be stopped. */
static int source_approach(struct source *source, bool *enough)
{
	const struct hold_wait wait = source_wait(source, AHEAD_LIMIT_MS);
	int result = source_check_stop(source, enough);

	if (result || !*enough)
		return result;
	result = ahead_flush(&source->machine->devices, &wait, &source->flushes, enough, source->error);
	if (!result && *enough && !source_must_prepare(source))
		return source_catch_up(source, enough);
	if (!result && *enough)
		result = source_prepare(source);
	/* It was not the clocks that this waited for. */
	comparison_rest(&source->comparison);
	*enough = false;
	return result;
}

static int source_precopy(struct source *source)
{
	bool enough = false;
	/* One burst before the first round, though it ages: two that lie apart tell the rates against each other. */
	int result = stamps_burst(source->channel, &source->comparison.offset, source->error);

	while (!result && !enough) {
		result = precopy_round(&source->precopy, source->error);
		if (!result)
			result = stamps_burst(source->channel, &source->comparison.offset, source->error);
		if (!result)
			result = source_approach(source, &enough);
		if (!result)
			result = machine_check_alive(source->machine, "migrated", source->error);
		if (!result)
			result = channel_look(source->channel, source->error);
	}
	source->report->rounds = source->precopy.rounds;
	return result;
}

/* ---- While it stands still ---- */

/* While the guest stands still the other side has so much time for all that it does. */
static void source_limit(struct source *source)
{
	source->channel->limit_ms = source->options->limits->stopped_ms;
	source->channel->deadline = deadline_after_ms(source->channel->limit_ms);
}

/* The time since the last call, as a part of the downtime. */
static uint64_t source_lap(struct source *source)
{
	sc_ns_t began = source->phase;

	source->phase = host_monotonic();
	return source->phase.v - began.v;
}

/* Until the guest stands in a hold, if it can be asked for one. Without it, too, it can follow. */
static int source_hold(struct source *source)
{
	const struct hold_wait wait = source_wait(source, source->options->limits->hold_ms);
	bool held;
	int result;

	source->stop_ordered = source->phase = host_monotonic();
	if (!source->prepared)
		return 0;
	result = hold_begin(source->machine, &wait, &held, source->error);
	if (held) {
		source_limit(source);
		source->report->parts.hold = source_lap(source);
	} else if (!result) {
		log_line("%s does not hold: it moves as it stands, and will repair later what has cached the counter's "
			 "rate",
			 source->machine->config.name);
	}
	if (!result)
		result = comparison_keep(&source->comparison, source->channel, source->machine->config.name, held,
					 source->error);
	/* Without a hold the guest has run until now. */
	if (!held)
		source->stop_ordered = source->phase = host_monotonic();
	return result;
}

static void source_stop(struct source *source)
{
	sc_ns_t ordered;

	source_event(source, SOURCE_EVENT_STOP);
	/* A guest that holds stands still already. */
	if (!source->channel->deadline.v)
		source_limit(source);
	ordered =
		repair_stop(&source->repair, source->machine, source->report->to_hz, source->options->limits->hold_ms);
	/* Between the tries it has run. */
	if (source->repair.found)
		source->stop_ordered = source->phase = ordered;
	/* Before the last pages: what a device finishes may be in memory. */
	devices_quiesce(&source->machine->devices);
}

static int source_send_state(struct source *source)
{
	struct clock_handoff handoff = {
		.policy = source->options->policy,
		.repair = source->report->level == SC_LEVEL_TRANSPARENT,
	};
	struct buffer buffer = { 0 };
	struct sc_offset_result known = { 0 };
	int result;

	if (sc_offset_result(&source->comparison.offset, host_counter_ns(), &known))
		return error_set(source->error, EPROTO, "the hosts' clocks could not be compared");
	handoff.difference_ns = source->difference_ns = known.middle_ns;
	result = state_save(source->machine, &handoff, &buffer, source->error);
	source->report->parts.state = source_lap(source);
	if (!result)
		return channel_send_buffer(source->channel, FRAME_STATE, &buffer, source->error);
	buffer_free(&buffer);
	return result;
}

/* The gap can hardly be longer than the guest has stood still; a clock that says so has been tampered with. */
static int source_check_gap(struct source *source, sc_ns_t gap)
{
	sc_ns_t stood = sc_ns(host_monotonic().v - source->stop_ordered.v);

	if (gap_is_possible(gap, stood))
		return 0;
	return error_set(source->error, EPROTO,
			 "the other side counts a gap of %" PRIu64 " ms where the guest has been stopped for %" PRIu64
			 " ms",
			 gap.v / NS_PER_MS, stood.v / NS_PER_MS);
}

static int source_await_ready(struct source *source)
{
	struct report *report = source->report;
	struct report_parts *parts = &report->parts;
	struct frame_ready ready;
	struct frame frame;
	int result = channel_expect(source->channel, FRAME_READY, &frame, source->error);

	if (!result)
		result = frame_get_ready(frame.data, frame.size, &ready, source->error);
	if (!result)
		result = source_check_gap(source, ready.gap);
	if (result)
		return result;
	parts->transfer = source_lap(source);
	parts->load = ready.loading.v < parts->transfer ? ready.loading.v : parts->transfer;
	parts->transfer -= parts->load;
	comparison_report(&source->comparison, sc_ns(clock_stopped_at(&source->machine->clock).v + ready.gap.v),
			  source->difference_ns, report);
	report->gap_ns = ready.gap.v;
	return 0;
}

/* From the stop to READY. */
static int source_transfer(struct source *source)
{
	const struct report *report = source->report;
	/* The guest may have left the reference clock during pre-copy. */
	struct sc_follow follow = machine_follow_moving(source->machine, report->from_hz, report->to_hz);
	int result = machine_check_alive(source->machine, "migrated", source->error);

	if (!result)
		result = repair_confirm(&source->repair, report->to_hz, &follow, source->error);
	if (!result)
		result = source_check_rate(source, &follow);
	if (!result)
		result = precopy_finish(&source->precopy, source->error);
	/* The target takes them before it is ready; nobody else shall have time to. */
	if (!result)
		result = machine_give_disks(source->machine, source->error);
	source->report->parts.pages = source_lap(source);
	if (!result)
		result = source_send_state(source);
	return result ? result : source_await_ready(source);
}

/* ---- The handover ---- */

static void source_account(struct source *source)
{
	source->report->parts.resume = source_lap(source);
	source->report->downtime_ns = source->phase.v - source->stop_ordered.v;
	source->report->bytes = source->channel->sink.sent;
}

/* Until DONE. Nothing watched ends this wait: the guest is the target's. */
static int source_hand_over(struct source *source)
{
	struct frame frame;
	int result;

	source->channel->watches = 0;
	source_limit(source);
	channel_send(source->channel, FRAME_GO, NULL, 0, source->error);
	/* Even if GO could not be sent: a target that gives up says so before it closes the connection. */
	result = channel_expect(source->channel, FRAME_DONE, &frame, source->error);
	source_account(source);
	return result;
}

/* Tells the target that the machine is discarded here. If it does not arrive the target waits for a while, no more. */
static void source_settle(const struct source *source, struct channel *channel)
{
	struct report *report = source->report;
	struct buffer buffer = { 0 };
	struct error ignored;

	report->input_size =
		(uint32_t)uart_late_input(&source->machine->devices.uart, report->input, sizeof(report->input));
	report_put(&buffer, report);
	channel_send_buffer(channel, FRAME_SETTLED, &buffer, &ignored);
}

/* The guest goes on here; what its clock does about the time it stood still is the migration's policy. */
static void source_resume(struct source *source)
{
	hold_call_off(source->machine);
	retake_disks(source->machine, source->options->limits);
	if (machine_go_on(source->machine, source->options->policy) && !machine_has_disks(source->machine))
		source_event(source, SOURCE_EVENT_NO_DISKS);
}

/* What became of a guest that source_resume() let go on. */
static const char *source_outcome(const struct source *source)
{
	return source->state == SOURCE_DISKLESS ? "stays paused here" : "goes on here";
}

/* After a lost DONE: asks on new connections, and does what the answer says. */
static void source_ask(struct source *source, int patience_ms)
{
	const struct source_options *options = source->options;
	enum frame_answer answer = FRAME_ANSWER_UNKNOWN;
	struct channel channel;
	int result = question_ask(&channel, options->host, options->channel, &source->report->id, options->limits,
				  patience_ms, &answer, source->error);
	enum source_action action = source_event(source, question_event(result, answer));

	if (!result && answer == FRAME_ANSWER_UNKNOWN)
		error_format(source->error, "the receiver at %s knows nothing of this migration", options->host);
	if (action == SOURCE_ACTION_DISCARD)
		source_settle(source, &channel);
	if (action == SOURCE_ACTION_RESUME)
		source_resume(source);
	if (!result)
		channel_close(&channel);
}

/* The target has given up after READY, which it does only once it can no longer run the guest. */
static void source_believe(struct source *source)
{
	const char *name = source->machine->config.name;
	struct error reason = *source->error;

	source_event(source, SOURCE_EVENT_ABORT);
	source_resume(source);
	error_explain(source->error,
		      "the other side gave up in the handover and promises never to run %s, which %s (%.300s)", name,
		      source_outcome(source), reason.text);
}

/* The handover went wrong: the guest may run there or not. */
static void source_ask_first(struct source *source)
{
	const char *name = source->machine->config.name;
	struct error reason = *source->error;

	log_line("%s: the migration broke after the handover (%s); asking %s what became of it", name, reason.text,
		 source->options->host);
	source_ask(source, source->options->limits->question_ms);
	if (source->state == SOURCE_RUNNING || source->state == SOURCE_DISKLESS)
		error_record(source->error, reason.err,
			     "the migration broke in the handover (%.300s); the other side promises never to run %s, "
			     "which %s",
			     reason.text, name, source_outcome(source));
	if (source->state == SOURCE_UNDECIDED) {
		struct error asking = *source->error;

		error_explain(source->error, "%.200s; then %.200s", reason.text, asking.text);
	}
}

/* ---- All of it ---- */

/*
 * Before GO: nothing was handed over but the disks, which come back only once the other side knows. If it does not have
 * them it is told last, because it may not listen any more, and the guest need not wait for that.
 */
static enum source_state source_fail(struct source *source)
{
	bool first = !machine_has_disks(source->machine);

	if (first)
		channel_abort(source->channel, source->error);
	if (source_event(source, SOURCE_EVENT_FAILED) == SOURCE_ACTION_RESUME)
		source_resume(source);
	else
		hold_call_off(source->machine);
	if (!first)
		channel_abort(source->channel, source->error);
	return source->state;
}

static void source_fail_handed(struct source *source)
{
	if (source->channel->aborted) {
		source_believe(source);
	} else {
		source_event(source, SOURCE_EVENT_FAILED);
		source_ask_first(source);
	}
}

static enum source_state source_switch(struct source *source)
{
	int result = source_hold(source);

	if (result)
		return source_fail(source);
	source_stop(source);
	result = source_transfer(source);
	if (!result && !gate_pass(source->options->gate))
		result = gate_on_cancel(source->options->gate, source->error);
	if (result)
		return source_fail(source);
	source_event(source, SOURCE_EVENT_READY);
	if (source_hand_over(source)) {
		source_fail_handed(source);
		return source->state;
	}
	source_event(source, SOURCE_EVENT_DONE);
	source_settle(source, source->channel);
	return source->state;
}

static struct source source_make(struct machine *machine, struct channel *channel, const struct source_options *options,
				 struct report *report, struct error *error)
{
	return (struct source){
		.machine = machine,
		.channel = channel,
		.options = options,
		.report = report,
		.error = error,
		.state = SOURCE_RUNNING,
		.comparison = { .max_step_us = options->max_step_us, .limit_ms = options->limits->comparison_ms },
		.precopy = { .channel = channel,
			     .devices = &machine->devices,
			     .downtime_ns = (uint64_t)options->downtime_ms * NS_PER_MS,
			     .bucket = { .rate = (uint64_t)options->bandwidth_mib << 20 },
			     .progress = options->progress,
			     .context = options->context },
	};
}

enum source_state source_run(struct machine *machine, struct channel *channel, const struct source_options *options,
			     struct report *report, struct error *error)
{
	const struct wait_watch down = { .fd = machine->down, .fn = source_down, .context = machine };
	struct source source = source_make(machine, channel, options, report, error);
	int result;

	channel_watch(channel, &down);
	result = source_check(&source, false);
	if (!result)
		result = precopy_start(&source.precopy, &machine->vm, &machine->memory, error);
	if (result || source_precopy(&source))
		source_fail(&source);
	else
		source_switch(&source);
	if (!result)
		precopy_stop(&source.precopy);
	repair_close(&source.repair);
	return source.state;
}

int source_try(struct machine *machine, struct channel *channel, const struct source_options *options,
	       struct report *report, struct error *error)
{
	struct source source = source_make(machine, channel, options, report, error);
	int result = source_check(&source, true);

	if (result)
		channel_abort(channel, error);
	repair_close(&source.repair);
	return result;
}

enum source_state source_ask_again(struct machine *machine, const struct source_options *options, struct report *report,
				   struct error *error)
{
	struct source source = source_make(machine, NULL, options, report, error);

	source.state = SOURCE_UNDECIDED;
	source_event(&source, SOURCE_EVENT_RESUME);
	source_ask(&source, 0);
	return source.state;
}
