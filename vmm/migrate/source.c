/* SPDX-License-Identifier: BSD-2-Clause */
/* The side that gives a machine away: see the header. */
#include "migrate/source.h"

#include "log.h"
#include "migrate/precopy.h"
#include "migrate/stamps.h"
#include "migrate/state.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

struct source {
	struct machine *machine;
	struct channel *channel;
	const struct source_options *options;
	struct source_report *report;
	struct error *error;
	struct precopy precopy;
	struct sc_handoff handoff;
	sc_ns_t stop_ordered;
	int64_t difference_ns; /* as used for the guest's clock */
	bool stopped;
	bool go_sent;
};

/* A rate in MHz with as many decimals as it has, up to Hz. */
static const char *rate_text(uint32_t hz, char text[32])
{
	int length = snprintf(text, 32, "%" PRIu32 ".%06" PRIu32, hz / 1000000, hz % 1000000);

	while (text[length - 1] == '0')
		text[--length] = '\0';
	if (text[length - 1] == '.')
		text[--length] = '\0';
	return text;
}

int source_check_rate(const char *name, enum sc_level level, uint32_t from_hz, uint32_t to_hz, struct error *error)
{
	uint64_t percent = (uint64_t)to_hz * 100 / from_hz;
	char from[32], to[32];

	if (from_hz == to_hz || level >= SC_LEVEL_REFERENCE)
		return 0;
	return error_set(
		error, EPERM,
		"%s is not on the reference clock: this host's counter ticks at %s MHz, the other's at %s MHz, so its "
		"clock would run at %" PRIu64 ".%02" PRIu64
		" times its rate; load the seaclock module in the guest and leave its clocksource on "
		"seaclock_page, or move it all the same with --force",
		name, rate_text(from_hz, from), rate_text(to_hz, to), percent / 100, percent % 100);
}

static int source_hello(struct source *source)
{
	const struct machine_config *config = &source->machine->config;
	struct frame_hello hello = {
		.hz = host_counter_hz(),
		.vcpus = config->vcpus,
		.memory_size = config->memory_size,
	};
	struct buffer buffer = { 0 };
	struct frame frame;
	int result;

	snprintf(hello.name, sizeof(hello.name), "%s", config->name);
	frame_put_hello(&buffer, &hello);
	result = channel_send(source->channel, FRAME_HELLO, buffer.data, buffer.size, source->error);
	buffer_free(&buffer);
	if (!result)
		result = channel_expect(source->channel, FRAME_WELCOME, &frame, source->error);
	if (!result)
		result = frame_get_welcome(frame.data, frame.size, &source->report->to_hz, source->error);
	if (!result)
		sc_handoff_init(&source->handoff, hello.hz, source->report->to_hz);
	source->report->from_hz = hello.hz;
	return result;
}

static int source_check_level(struct source *source)
{
	source->report->level = machine_level(source->machine);
	if (source->options->force)
		return 0;
	return source_check_rate(source->machine->config.name, source->report->level, source->report->from_hz,
				 source->report->to_hz, source->error);
}

/* Lets the target try the registers; they change until the stop, but not in what a KVM takes. */
static int source_check_registers(struct source *source)
{
	struct buffer buffer = { 0 };
	struct frame frame;
	int result;

	vcpus_hold(&source->machine->vcpus);
	result = state_save_registers(source->machine, &buffer, source->error);
	vcpus_release(&source->machine->vcpus);
	if (!result)
		result = channel_send(source->channel, FRAME_CHECK, buffer.data, buffer.size, source->error);
	if (!result)
		result = channel_expect(source->channel, FRAME_CHECKED, &frame, source->error);
	buffer_free(&buffer);
	return result;
}

static int source_check_alive(struct source *source)
{
	if (machine_get_end(source->machine) == MACHINE_END_NONE)
		return 0;
	return error_set(source->error, ESHUTDOWN, "the guest ended while it was being migrated");
}

static int source_precopy(struct source *source)
{
	bool enough = false;
	int result = 0;

	while (!result && !enough) {
		result = precopy_round(&source->precopy, source->error);
		if (!result)
			result = precopy_check(&source->precopy, &enough, source->error);
		if (!result)
			result = stamps_burst(source->channel, &source->handoff, source->error);
		if (!result)
			result = source_check_alive(source);
		if (!result && source->options->progress)
			source->options->progress(source->options->context, source->precopy.rounds,
						  source->precopy.dirty.pages, source->channel->sink.sent);
	}
	source->report->rounds = source->precopy.rounds;
	return result;
}

static void source_stop(struct source *source)
{
	source->stop_ordered = host_monotonic();
	vcpus_hold(&source->machine->vcpus);
	clock_stop(&source->machine->clock);
	source->stopped = true;
}

static int source_send_state(struct source *source)
{
	struct clock_handoff handoff = { .policy = SC_CLOCK_ADVANCE };
	struct buffer buffer = { 0 };
	struct sc_handoff_result known;
	int result;

	if (sc_handoff_result(&source->handoff, host_counter_ns(), &known))
		return error_set(source->error, EPROTO, "the hosts' clocks could not be compared");
	handoff.difference_ns = source->difference_ns = known.middle_ns;
	result = state_save(source->machine, &handoff, &buffer, source->error);
	if (!result)
		result = channel_send(source->channel, FRAME_STATE, buffer.data, buffer.size, source->error);
	buffer_free(&buffer);
	return result;
}

/* The bound of the step: the interval as wide as it was when the clock started over there. */
static void source_report_clock(struct source *source, sc_ns_t gap)
{
	sc_ns_t started = sc_ns(clock_stopped_at(&source->machine->clock).v + gap.v);
	struct sc_handoff_result known;

	source->report->gap_ns = gap.v;
	if (sc_handoff_result(&source->handoff, started, &known))
		return;
	/* One unit for the rebase of reference time. */
	source->report->stated_bound_ns = sc_handoff_bound(&known, source->difference_ns) + SC_REF_NS;
	source->report->round_trip_ns = known.round_trip_ns;
}

static int source_await_ready(struct source *source)
{
	struct frame frame;
	struct cursor cursor;
	uint64_t gap;
	int result = channel_expect(source->channel, FRAME_READY, &frame, source->error);

	if (result)
		return result;
	cursor = cursor_make(frame.data, frame.size);
	gap = cursor_u64(&cursor);
	if (!cursor_finish(&cursor))
		return error_set(source->error, EPROTO, "the other side's READY is damaged");
	source_report_clock(source, sc_ns(gap));
	return 0;
}

static int source_hand_over(struct source *source)
{
	struct frame frame;
	int result;

	source->go_sent = true;
	result = channel_send(source->channel, FRAME_GO, NULL, 0, source->error);
	if (!result)
		result = channel_expect(source->channel, FRAME_DONE, &frame, source->error);
	source->report->downtime_ns = host_monotonic().v - source->stop_ordered.v;
	source->report->bytes = source->channel->sink.sent;
	return result;
}

/* From the stop to DONE. */
static int source_switch(struct source *source)
{
	int result;

	source_stop(source);
	result = source_check_alive(source);
	/* The guest may have left the reference clock during pre-copy. */
	if (!result)
		result = source_check_level(source);
	if (!result)
		result = precopy_finish(&source->precopy, source->error);
	if (!result)
		result = source_send_state(source);
	if (!result)
		result = source_await_ready(source);
	return result ? result : source_hand_over(source);
}

static int source_move(struct source *source)
{
	int result = source_hello(source);

	if (!result)
		result = source_check_level(source);
	if (!result)
		result = source_check_registers(source);
	if (!result)
		result = precopy_start(&source->precopy, source->channel, &source->machine->vm,
				       &source->machine->memory, source->error);
	if (result)
		return result;
	result = source_precopy(source);
	if (!result)
		result = source_switch(source);
	precopy_stop(&source->precopy);
	return result;
}

/* Nothing was handed over: the guest goes on, and its clock counts the time that it stood still. */
static void source_go_on(struct source *source)
{
	struct error error;

	if (source->stopped) {
		if (clock_start(&source->machine->clock, SC_CLOCK_ADVANCE, &error))
			log_line("%s: %s", source->machine->config.name, error.text);
		vcpus_release(&source->machine->vcpus);
	}
	/* Last, because the other side may not listen any more, and the guest need not wait for that. */
	channel_abort(source->channel, source->error);
}

enum source_result source_run(struct machine *machine, struct channel *channel, const struct source_options *options,
			      struct source_report *report, struct error *error)
{
	struct source source = {
		.machine = machine,
		.channel = channel,
		.options = options,
		.report = report,
		.error = error,
	};

	*report = (struct source_report){ 0 };
	if (!source_move(&source))
		return SOURCE_MOVED;
	if (source.go_sent)
		return SOURCE_UNDECIDED;
	source_go_on(&source);
	return SOURCE_FAILED;
}
