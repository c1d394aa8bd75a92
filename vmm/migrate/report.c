/* SPDX-License-Identifier: BSD-2-Clause */
/* What a migration was like: see the header. */
#include "migrate/report.h"

#include <errno.h>
#include <string.h>

/* 146 years of ns, or as many bytes: sums and differences of such numbers fit into 64 bits with a sign. */
#define NUMBER_MAX (1ull << 62)

#define RATE_MAX_PPB 1000000000ll

void report_begin(struct report *report, const struct machine *machine, enum sc_clock_policy policy,
		  uint32_t bandwidth_mib, bool plain)
{
	*report = (struct report){
		.from_hz = clock_hz(&machine->clock),
		.policy = policy,
		.bandwidth_mib = bandwidth_mib,
		.plain = plain,
	};
	memcpy(report->name, machine->config.name, sizeof(report->name));
	host_random(report->id.bytes, sizeof(report->id.bytes));
}

int64_t report_step_ns(const struct report *report)
{
	return report->policy == SC_CLOCK_FREEZE ? -(int64_t)report->gap_ns : 0;
}

/* The numbers that are 64 bits wide, in the order in which they travel. */
#define NUMBERS(report)                                                                                                \
	&(report)->bytes, &(report)->downtime_ns, &(report)->parts.hold, &(report)->parts.pages,                       \
		&(report)->parts.state, &(report)->parts.transfer, &(report)->parts.load, &(report)->parts.resume,     \
		&(report)->gap_ns, &(report)->stated_bound_ns, &(report)->round_trip_ns, &(report)->age_ns

void report_put(struct buffer *buffer, const struct report *report)
{
	const uint64_t *const numbers[] = { NUMBERS(report) };

	buffer_put_string(buffer, report->name);
	frame_put_id(buffer, &report->id);
	buffer_put_u32(buffer, report->from_hz);
	buffer_put_u32(buffer, report->to_hz);
	buffer_put_u32(buffer, report->policy);
	buffer_put_u32(buffer, report->level);
	buffer_put_u32(buffer, report->rounds);
	for (size_t n = 0; n < sizeof(numbers) / sizeof(numbers[0]); n++)
		buffer_put_u64(buffer, *numbers[n]);
	buffer_put_u32(buffer, report->rate_known);
	buffer_put_u64(buffer, (uint64_t)report->rate.ppb);
	buffer_put_u64(buffer, report->rate.bound_ppb);
	buffer_put_block(buffer, report->input, report->input_size);
}

static bool get_input(struct cursor *cursor, struct report *report)
{
	size_t size;
	const void *input = cursor_block(cursor, &size);

	if (!input || size > sizeof(report->input))
		return false;
	memcpy(report->input, input, size);
	report->input_size = (uint32_t)size;
	return true;
}

static bool get_rate(struct cursor *cursor, struct report *report)
{
	uint32_t known = cursor_u32(cursor);

	report->rate_known = known;
	report->rate.ppb = (int64_t)cursor_u64(cursor);
	report->rate.bound_ppb = cursor_u64(cursor);
	return known <= 1 && report->rate.ppb >= -RATE_MAX_PPB && report->rate.ppb <= RATE_MAX_PPB &&
	       report->rate.bound_ppb <= RATE_MAX_PPB;
}

int report_get(struct cursor *cursor, struct report *report, struct error *error)
{
	uint64_t *const numbers[] = { NUMBERS(report) };
	uint32_t policy, level;
	bool valid = true;

	*report = (struct report){ 0 };
	cursor_string(cursor, report->name, sizeof(report->name));
	frame_get_id(cursor, &report->id);
	report->from_hz = cursor_u32(cursor);
	report->to_hz = cursor_u32(cursor);
	policy = cursor_u32(cursor);
	level = cursor_u32(cursor);
	report->rounds = cursor_u32(cursor);
	for (size_t n = 0; n < sizeof(numbers) / sizeof(numbers[0]); n++) {
		*numbers[n] = cursor_u64(cursor);
		valid = valid && *numbers[n] <= NUMBER_MAX;
	}
	valid = get_rate(cursor, report) && valid;
	valid = get_input(cursor, report) && valid;
	if (!cursor_finish(cursor) || !valid || !name_is_valid(report->name) || policy > SC_CLOCK_FREEZE ||
	    !sc_level_is_known(level))
		return error_set(error, EPROTO, "the other side's report is damaged");
	report->policy = (enum sc_clock_policy)policy;
	report->level = (enum sc_level)level;
	return 0;
}

static double ms(uint64_t ns)
{
	return (double)ns / 1e6;
}

static json_t *parts_json(const struct report_parts *parts)
{
	return json_pack("{s:f, s:f, s:f, s:f, s:f, s:f}", "hold", ms(parts->hold), "pages", ms(parts->pages), "state",
			 ms(parts->state), "transfer", ms(parts->transfer), "load", ms(parts->load), "resume",
			 ms(parts->resume));
}

/* null if it is not known. */
static json_t *ppm(const struct report *report, double ppb)
{
	return report->rate_known ? json_real(ppb / 1e3) : json_null();
}

/* NULL, which leaves it out, if there was no bound. */
static json_t *bandwidth_mib(const struct report *report)
{
	return report->bandwidth_mib ? json_integer(report->bandwidth_mib) : NULL;
}

/* null if there was no hold. */
static json_t *hold_us(const struct report *report)
{
	return report->parts.hold ? json_real((double)report->parts.hold / 1e3) : json_null();
}

json_t *report_json(const struct report *report)
{
	char id[FRAME_ID_TEXT_SIZE];

	frame_id_text(&report->id, id);
	return json_pack(
		"{s:s, s:s, s:I, s:I, s:s, s:s, s:I, s:I, s:f, s:o, s:o, s:I, s:I, s:I, s:I, s:I, s:o, s:o, s:b, s:o*}",
		"name", report->name, "id", id, "from_hz", (json_int_t)report->from_hz, "to_hz",
		(json_int_t)report->to_hz, "policy", clock_policy_name(report->policy), "level",
		machine_level_name(report->level), "rounds", (json_int_t)report->rounds, "bytes",
		(json_int_t)report->bytes, "downtime_ms", ms(report->downtime_ns), "parts_ms",
		parts_json(&report->parts), "hold_us", hold_us(report), "gap_ns", (json_int_t)report->gap_ns,
		"intended_step_ns", (json_int_t)report_step_ns(report), "stated_bound_ns",
		(json_int_t)report->stated_bound_ns, "round_trip_ns", (json_int_t)report->round_trip_ns, "age_ns",
		(json_int_t)report->age_ns, "rate_ppm", ppm(report, (double)report->rate.ppb), "rate_ppm_bound",
		ppm(report, (double)report->rate.bound_ppb), "plain", (int)report->plain, "bandwidth_mib",
		bandwidth_mib(report));
}
