/* SPDX-License-Identifier: BSD-2-Clause */
/* A migration in the journal: see the header. */
#include "migrate/entry.h"

#include "base/journal.h"

#include <inttypes.h>
#include <stdio.h>

#define NUMBER_SIZE 24
#define MESSAGE_SIZE 512
#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

/* Of syslog(3): informational, and warning. */
#define PRIORITY_MOVED "6"
#define PRIORITY_FAILED "4"

static const char *side_name(enum entry_side side)
{
	return side == ENTRY_SOURCE ? "source" : "target";
}

static const char *number(int64_t value, char text[NUMBER_SIZE])
{
	snprintf(text, NUMBER_SIZE, "%" PRId64, value);
	return text;
}

void entry_moved(enum entry_side side, const char *machine, const char *peer, const struct report *report)
{
	char message[MESSAGE_SIZE], id[FRAME_ID_TEXT_SIZE], number_text[6][NUMBER_SIZE];
	const struct journal_field fields[] = {
		{ "MESSAGE", message },
		{ "MESSAGE_ID", ENTRY_MESSAGE_ID },
		{ "PRIORITY", PRIORITY_MOVED },
		{ "SYSLOG_IDENTIFIER", "seaclock" },
		{ "SEACLOCK_MACHINE", machine },
		{ "SEACLOCK_MIGRATION", id },
		{ "SEACLOCK_SIDE", side_name(side) },
		{ "SEACLOCK_PEER", peer },
		{ "SEACLOCK_RESULT", "moved" },
		{ "SEACLOCK_LEVEL", machine_level_name(report->level) },
		{ "SEACLOCK_FROM_HZ", number(report->from_hz, number_text[0]) },
		{ "SEACLOCK_TO_HZ", number(report->to_hz, number_text[1]) },
		{ "SEACLOCK_DOWNTIME_NS", number((int64_t)report->downtime_ns, number_text[2]) },
		{ "SEACLOCK_GAP_NS", number((int64_t)report->gap_ns, number_text[3]) },
		{ "SEACLOCK_STEP_NS", number(report_step_ns(report), number_text[4]) },
		{ "SEACLOCK_BOUND_NS", number((int64_t)report->stated_bound_ns, number_text[5]) },
	};

	frame_id_text(&report->id, id);
	snprintf(message, sizeof(message), "%s has moved %s %s, with a downtime of %" PRIu64 " us", machine,
		 side == ENTRY_SOURCE ? "to" : "here from", peer, report->downtime_ns / 1000);
	journal_send(fields, COUNT(fields));
}

void entry_failed(enum entry_side side, const char *machine, const char *peer, const struct frame_id *id,
		  const struct error *error)
{
	static const struct frame_id none;
	char message[ERROR_TEXT_MAX + MESSAGE_SIZE], text[FRAME_ID_TEXT_SIZE];
	const struct journal_field fields[] = {
		{ "MESSAGE", message },
		{ "MESSAGE_ID", ENTRY_MESSAGE_ID },
		{ "PRIORITY", PRIORITY_FAILED },
		{ "SYSLOG_IDENTIFIER", "seaclock" },
		{ "SEACLOCK_MACHINE", machine },
		{ "SEACLOCK_MIGRATION", frame_id_equal(id, &none) ? NULL : text },
		{ "SEACLOCK_SIDE", side_name(side) },
		{ "SEACLOCK_PEER", peer },
		{ "SEACLOCK_RESULT", error_code(error) },
	};

	frame_id_text(id, text);
	snprintf(message, sizeof(message), "%s has not moved %s %s: %s", machine,
		 side == ENTRY_SOURCE ? "to" : "here from", peer, error->text);
	journal_send(fields, COUNT(fields));
}
