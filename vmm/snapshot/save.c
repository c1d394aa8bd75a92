/* SPDX-License-Identifier: BSD-2-Clause */
/* A machine into a file: see the header. */
#include "snapshot/save.h"

#include "base/log.h"
#include "transfer/arrival.h"
#include "transfer/hold.h"
#include "transfer/pages.h"
#include "transfer/repair.h"
#include "machine/state.h"
#include "snapshot/writer.h"

#include <errno.h>

#define PROGRESS_NS 1000000000u

int save_on_cancel(void *context, struct error *error)
{
	(void)context;
	return error_set(error, ECANCELED, "the save was cancelled");
}

/* The same for a guest that is down: nobody need wait for what it would do. */
static int save_down(void *context, struct error *error)
{
	return machine_check_alive(context, "saved", error);
}

/* What may end a save: how many there are. */
static unsigned int save_watches(struct machine *machine, const struct save_options *options,
				 struct wait_watch watch[WAIT_WATCHES])
{
	unsigned int count = 0;

	watch[count++] = (struct wait_watch){ .fd = machine->down, .fn = save_down, .context = machine };
	if (options->gate)
		watch[count++] = (struct wait_watch){ .fd = options->gate->cancelled, .fn = save_on_cancel };
	if (options->client)
		watch[count++] = *options->client;
	return count;
}

/* 0, or the error of a save that was called off. */
static int save_look(struct machine *machine, const struct save_options *options, struct error *error)
{
	struct wait_watch watch[WAIT_WATCHES];
	unsigned int count = save_watches(machine, options, watch);

	return wait_look(watch, count, error);
}

static int save_description(struct machine *machine, struct sink *sink, struct error *error)
{
	struct frame_hello hello = arrival_hello(machine, machine_follow(machine, SC_MOVE_ASKED).level);

	return arrival_announce(sink, &hello, &machine->config, error);
}

/* This host's CLOCK_REALTIME, which on another host tells how long ago this was. */
static int save_clock(struct sink *sink, struct error *error)
{
	struct sc_statement statement = host_statement();
	struct buffer buffer = { 0 };

	frame_put_statement(&buffer, &statement);
	return sink_put_buffer(sink, FRAME_CLOCKED, &buffer, error);
}

static int save_memory(struct machine *machine, const struct save_options *options, struct sink *sink,
		       struct error *error)
{
	uint64_t end = memory_pages(&machine->memory);
	sc_ns_t next = sc_ns(host_monotonic().v + PROGRESS_NS);

	for (uint64_t page = 0; page < end; page += FRAME_PAGES_MAX) {
		uint64_t left = end - page;
		uint32_t count = left < FRAME_PAGES_MAX ? (uint32_t)left : FRAME_PAGES_MAX;
		int result = save_look(machine, options, error);

		if (!result)
			result = pages_put(sink, &machine->memory, page, count, false, error);
		if (result)
			return result;
		if (!options->progress || host_monotonic().v < next.v)
			continue;
		options->progress(options->context, left * MEMORY_PAGE_SIZE);
		next = sc_ns(host_monotonic().v + PROGRESS_NS);
	}
	return 0;
}

static int save_state(struct machine *machine, enum sc_clock_policy policy, struct sink *sink, struct error *error)
{
	const struct clock_handoff handoff = { .policy = policy };
	struct buffer buffer = { 0 };
	int result = state_save(machine, &handoff, &buffer, error);

	if (!result)
		return sink_put_buffer(sink, FRAME_STATE, &buffer, error);
	buffer_free(&buffer);
	return result;
}

static int save_content(struct machine *machine, const struct save_options *options, struct sink *sink,
			struct error *error)
{
	int result = save_description(machine, sink, error);

	if (!result)
		result = save_clock(sink, error);
	if (!result)
		result = save_memory(machine, options, sink, error);
	if (!result)
		result = save_state(machine, options->policy, sink, error);
	if (!result)
		result = sink->put(sink, FRAME_DONE, NULL, 0, NULL, 0, error);
	return result;
}

/* All vCPUs are held, time stands still. */
static int save_held(struct machine *machine, const struct save_options *options, struct snapshot_writer *writer,
		     struct error *error)
{
	int result = machine_check_alive(machine, "saved", error);

	/* Now, and not behind all of memory. */
	if (!result)
		result = devices_settled(&machine->devices, error);
	if (!result)
		result = save_content(machine, options, &writer->sink, error);
	if (!result)
		result = snapshot_writer_finish(writer, error);
	if (!result && options->name)
		result = options->name(options->context, error);
	if (!result && options->gate && !gate_pass(options->gate))
		result = save_on_cancel(NULL, error);
	return result ? result : snapshot_writer_seal(writer, error);
}

static int save_prepare(struct machine *machine, const struct save_options *options, const struct hold_wait *wait,
			bool *prepared, struct error *error)
{
	int result = hold_prepare(machine, wait, prepared, error);

	if (result || *prepared || options->force)
		return result;
	return error_set(error, ETIME,
			 "%s was asked to put its clock on the reference page before it is saved, and has not done so "
			 "in %d ms, so it could not be restored on a host of another rate; save it all the same with "
			 "--force",
			 machine->config.name, wait->limit_ms);
}

/*
 * A guest that can be asked stands in a hold in the file, for nobody knows yet at what rate it will go on. One that
 * prepares and then does not hold is saved as it stands: it follows all the same.
 */
static int save_ask(struct machine *machine, const struct save_options *options, struct error *error)
{
	struct wait_watch watch[WAIT_WATCHES];
	const unsigned int count = save_watches(machine, options, watch);
	const struct hold_wait prepare = { options->limits->prepare_ms, watch, count };
	const struct hold_wait hold = { options->limits->hold_ms, watch, count };
	bool done;
	int result;

	if (clock_is_stopped(&machine->clock) || machine_follow(machine, SC_MOVE_ASKED).level != SC_LEVEL_COOPERATIVE)
		return 0;
	result = save_prepare(machine, options, &prepare, &done, error);
	if (!result && done)
		result = hold_begin(machine, &hold, &done, error);
	if (!result && !done)
		log_line("%s does not hold: it is saved as it stands", machine->config.name);
	return result;
}

/* A machine that was only described so, and that is true of no guest of its, is saved as it is. */
static int save_refuse(const struct machine *machine, const struct save_options *options, const struct error *why,
		       struct error *error)
{
	const char *name = machine->config.name;

	if (options->repair)
		return error_set(error, EPERM, "%s is not saved, for its kernel could not be repaired: %s", name,
				 why->text);
	log_line("%s: its kernel could not be repaired at another rate: %s", name, why->text);
	return 0;
}

/* Whether a guest that does not follow could be repaired where it is restored. */
static int save_find(struct machine *machine, const struct save_options *options, struct repair *repair,
		     struct error *error)
{
	bool wanted = options->repair || machine->config.repair;
	struct error why;

	if (!wanted || machine_follow(machine, SC_MOVE_ASKED).level != SC_LEVEL_NONE ||
	    !repair_find(repair, machine, &why))
		return 0;
	return save_refuse(machine, options, &why, error);
}

/* At the instant of the stop. */
static int save_judge(struct machine *machine, const struct save_options *options, struct repair *repair,
		      struct error *error)
{
	struct error why = repair->why;

	if (!repair->found || !repair->verdict)
		return 0;
	repair_close(repair);
	return save_refuse(machine, options, &why, error);
}

/* As after a migration that failed: nobody wanted the guest to stand still, so its clocks stay right. */
static void save_go_on(struct machine *machine, bool ran)
{
	hold_call_off(machine);
	if (ran) {
		machine_go_on(machine, SC_CLOCK_ADVANCE);
		return;
	}
	devices_start(&machine->devices);
	vcpus_unpark(&machine->vcpus);
}

static int save_begin(struct machine *machine, const struct save_options *options, struct repair *repair,
		      struct error *error)
{
	int result = save_ask(machine, options, error);

	if (!result)
		result = save_find(machine, options, repair, error);
	if (result)
		hold_call_off(machine);
	return result;
}

static enum sc_level save_level(struct machine *machine, const struct repair *repair)
{
	return repair->found ? SC_LEVEL_TRANSPARENT : machine_follow(machine, SC_MOVE_AS_STANDS).level;
}

int save_run(struct machine *machine, const struct save_options *options, struct save_report *report,
	     struct error *error)
{
	struct repair repair = { .found = false };
	struct snapshot_writer writer;
	int result = snapshot_writer_open(&writer, options->fd, options->path, error);
	bool ran = !clock_is_stopped(&machine->clock);
	sc_ns_t ordered;

	if (result)
		return result;
	result = save_begin(machine, options, &repair, error);
	if (result) {
		snapshot_writer_close(&writer);
		return result;
	}
	/* Nobody knows yet at what rate the guest will go on; for the instant its own is as good as another. */
	ordered = repair_stop(&repair, machine, clock_hz(&machine->clock), options->limits->hold_ms);
	devices_quiesce(&machine->devices);
	result = save_judge(machine, options, &repair, error);
	if (!result)
		result = save_held(machine, options, &writer, error);
	*report = (struct save_report){
		.hz = host_counter_hz(),
		.level = save_level(machine, &repair),
		.bytes = writer.written,
		.stopped_ns = ran ? host_monotonic().v - ordered.v : 0,
	};
	repair_close(&repair);
	snapshot_writer_close(&writer);
	if (result)
		save_go_on(machine, ran);
	return result;
}
