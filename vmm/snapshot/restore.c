/* SPDX-License-Identifier: BSD-2-Clause */
/* A machine from a file: see the header. */
#include "snapshot/restore.h"

#include "transfer/gap.h"
#include "transfer/pages.h"
#include "transfer/repair.h"
#include "machine/state.h"
#include "snapshot/reader.h"

#include <errno.h>

#define MILLION 1000000u

struct restore {
	struct machine *machine;
	struct console *console;
	const struct restore_options *options;
	struct snapshot_reader reader;
	struct sc_statement saved; /* by the host where it was saved */
};

static int restore_damaged(const struct restore *restore, const char *why, struct error *error)
{
	return error_set(error, EPROTO, "%s cannot be restored: %s", restore->options->path, why);
}

/* The next frame, which must be of that type. */
static int restore_expect(struct restore *restore, enum frame_type type, struct frame *frame, struct error *error)
{
	int result = snapshot_reader_next(&restore->reader, frame, error);

	if (!result && frame->type != type)
		return restore_damaged(restore, "its records are not in order", error);
	return result;
}

static int restore_hello(struct restore *restore, struct frame_hello *hello, struct error *error)
{
	struct error reason;
	struct frame frame;
	int result = restore_expect(restore, FRAME_HELLO, &frame, error);

	if (!result && frame_get_hello(frame.data, frame.size, hello, &reason))
		return restore_damaged(restore, reason.text, error);
	return result;
}

static int restore_config(struct restore *restore, struct machine_config *config, struct error *error)
{
	struct error reason;
	struct frame frame;
	int result = restore_expect(restore, FRAME_MACHINE, &frame, error);

	if (!result && config_get(frame.data, frame.size, config, &reason))
		return restore_damaged(restore, reason.text, error);
	return result;
}

static int restore_begin(struct restore *restore, struct error *error)
{
	struct machine_config config;
	struct frame_hello hello;
	int result = restore_hello(restore, &hello, error);

	if (!result)
		result = restore_config(restore, &config, error);
	if (!result)
		result = arrival_create(restore->machine, &hello, &config, restore->options->names, restore->console,
					error);
	if (result)
		return result;
	restore->machine->restored.from_hz = hello.hz;
	result = machine_take_disks(restore->machine, error);
	if (result)
		machine_destroy(restore->machine);
	return result;
}

static int restore_clock(struct restore *restore, struct error *error)
{
	struct error reason;
	struct frame frame;
	int result = restore_expect(restore, FRAME_CLOCKED, &frame, error);

	if (!result && frame_get_statement(frame.data, frame.size, &restore->saved, &reason))
		return restore_damaged(restore, reason.text, error);
	return result;
}

/* All pages, up to the frame behind them. */
static int restore_memory(struct restore *restore, struct frame *frame, struct error *error)
{
	int result = snapshot_reader_next(&restore->reader, frame, error);
	struct error reason;

	while (!result && (frame->type == FRAME_PAGES || frame->type == FRAME_ZEROES)) {
		if (pages_load(&restore->machine->memory, frame, &reason))
			return restore_damaged(restore, reason.text, error);
		result = snapshot_reader_next(&restore->reader, frame, error);
	}
	if (!result && frame->type != FRAME_STATE)
		return restore_damaged(restore, "its records are not in order", error);
	return result;
}

/*
 * How far the gap may be off: CLOCK_REALTIME tells it between the two statements, the counters tell the rest, from the
 * stop to the first and from the second until now. One unit for the rebase of reference time.
 */
static uint64_t restore_bound(const struct sc_statement *saved, const struct sc_statement *here, uint64_t bound_ns,
			      sc_ns_t gap)
{
	uint64_t between = here->realtime.v > saved->realtime.v ? here->realtime.v - saved->realtime.v : 0;
	uint64_t by_counters = gap.v > between ? gap.v - between : 0;

	if (bound_ns == SC_STATEMENT_UNKNOWN)
		return bound_ns;
	return bound_ns + by_counters / (MILLION / SC_OFFSET_DRIFT_PPM) + 1 + SC_REF_NS;
}

static int restore_state(struct restore *restore, const struct frame *frame, struct error *error)
{
	struct machine_restored *restored = &restore->machine->restored;
	struct sc_statement here = host_statement();
	struct clock_handoff handoff;
	uint64_t bound_ns;
	struct error reason;
	sc_ns_t gap = sc_ns(0);
	int result = state_handoff(frame->data, frame->size, &handoff, error);

	if (result)
		return result;
	if (sc_statement_difference(&restore->saved, &here, &handoff.difference_ns, &bound_ns))
		return restore_damaged(restore, "its time is none that a host can have", error);
	if (restore->options->policy)
		handoff.policy = *restore->options->policy;
	handoff.repair = repair_is_allowed(restore->machine, &restore->options->terms);
	result = state_load_with(restore->machine, frame->data, frame->size, &handoff, &gap, error);
	if (!result && restore->options->max_gap_s)
		result = gap_check(restore->machine->config.name, gap, handoff.policy, restore->options->max_gap_s,
				   error);
	if (!result && arrival_check_rate(restore->machine, restored->from_hz, &reason))
		return restore_damaged(restore, reason.text, error);
	if (!result)
		devices_renew(&restore->machine->devices);
	restored->policy = handoff.policy;
	restored->gap_ns = gap.v;
	restored->bound_ns = restore_bound(&restore->saved, &here, bound_ns, gap);
	return result;
}

static int restore_repair(struct machine *machine, uint32_t from_hz, uint32_t to_hz, struct error *error)
{
	struct repair repair = { .found = false };
	struct error why;
	int result;

	if (repair_find(&repair, machine, &why))
		return admission_refuse_repair(machine->config.name, from_hz, to_hz, why.text, error);
	result = repair_carry_out(&repair, error);
	repair_close(&repair);
	return result;
}

/* By what was loaded, not by what somebody says of it. */
static int restore_check_rate(struct restore *restore, struct error *error)
{
	const struct admission_terms *terms = &restore->options->terms;
	struct machine *machine = restore->machine;
	uint32_t from_hz = machine->restored.from_hz, to_hz = host_counter_hz();
	struct sc_follow follow = machine_follow_moving(machine, from_hz, to_hz);

	if (repair_is_due(machine, terms, from_hz, to_hz, &follow)) {
		machine->restored.level = SC_LEVEL_TRANSPARENT;
		return restore_repair(machine, from_hz, to_hz, error);
	}
	machine->restored.level = follow.level;
	return admission_check(machine->config.name, &follow, from_hz, to_hz, terms, error);
}

static int restore_content(struct restore *restore, struct error *error)
{
	struct frame frame;
	int result = restore_clock(restore, error);

	if (!result)
		result = restore_memory(restore, &frame, error);
	if (!result)
		result = restore_state(restore, &frame, error);
	if (!result)
		result = restore_check_rate(restore, error);
	if (!result)
		result = machine_end_hold(restore->machine, SC_HOLD_MOVED, error);
	return result ? result : restore_expect(restore, FRAME_DONE, &frame, error);
}

int restore_load(struct machine *machine, struct console *console, const struct restore_options *options,
		 struct error *error)
{
	struct restore restore = { .machine = machine, .console = console, .options = options };
	int result = snapshot_reader_open(&restore.reader, options->path, error);

	if (result)
		return result;
	result = restore_begin(&restore, error);
	if (!result) {
		result = restore_content(&restore, error);
		if (result)
			machine_destroy(machine);
	}
	snapshot_reader_close(&restore.reader);
	return result;
}
