/* SPDX-License-Identifier: BSD-2-Clause */
/* What a receiver knows of migrations: see the header. */
#include "migrate/ledger.h"

#include <errno.h>
#include <string.h>

/* The index of an id, LEDGER_SIZE if it is unknown. */
static uint32_t ledger_index(const struct ledger *ledger, const struct frame_id *id)
{
	uint32_t count = ledger->opened < LEDGER_SIZE ? (uint32_t)ledger->opened : LEDGER_SIZE;

	for (uint32_t n = 0; n < count; n++)
		if (frame_id_equal(&ledger->entry[n].id, id))
			return n;
	return LEDGER_SIZE;
}

int ledger_open(struct ledger *ledger, const struct frame_id *id, const char *host, struct error *error)
{
	uint32_t n;

	if (ledger_index(ledger, id) < LEDGER_SIZE)
		return error_set(error, EEXIST,
				 "this migration was here before and will not run here: begin a new one");
	n = (uint32_t)(ledger->opened++ % LEDGER_SIZE);
	ledger->entry[n].id = *id;
	ledger->entry[n].host = host;
	ledger->entry[n].state = TARGET_LOADING;
	ledger->entry[n].owes = false;
	return 0;
}

bool ledger_is_from(const struct ledger *ledger, const struct frame_id *id, const char *host)
{
	uint32_t n = ledger_index(ledger, id);

	return n < LEDGER_SIZE && !strcmp(ledger->entry[n].host, host);
}

bool ledger_find(const struct ledger *ledger, const struct frame_id *id, enum target_state *state)
{
	uint32_t n = ledger_index(ledger, id);

	if (n == LEDGER_SIZE)
		return false;
	*state = ledger->entry[n].state;
	return true;
}

enum target_action ledger_step(struct ledger *ledger, const struct frame_id *id, enum target_event event)
{
	uint32_t n = ledger_index(ledger, id);
	enum target_action action = TARGET_ACTION_NONE;

	if (n < LEDGER_SIZE)
		ledger->entry[n].state = target_step(ledger->entry[n].state, event, &action);
	if (action == TARGET_ACTION_SEND_READY)
		ledger->entry[n].owes = true;
	return action;
}

void ledger_tell(struct ledger *ledger, const struct frame_id *id)
{
	uint32_t n = ledger_index(ledger, id);

	if (n < LEDGER_SIZE)
		ledger->entry[n].owes = false;
}

bool ledger_owes_to(const struct ledger *ledger, const struct frame_id *id)
{
	uint32_t n = ledger_index(ledger, id);

	return n < LEDGER_SIZE && ledger->entry[n].owes;
}

bool ledger_owes(const struct ledger *ledger)
{
	bool owes = false;

	for (uint32_t n = 0; n < LEDGER_SIZE; n++)
		owes = owes || ledger->entry[n].owes;
	return owes;
}

enum frame_answer ledger_answer(struct ledger *ledger, const struct frame_id *id)
{
	switch (ledger_step(ledger, id, TARGET_EVENT_QUESTION)) {
	case TARGET_ACTION_ANSWER_RUNNING:
		return FRAME_ANSWER_RUNNING;
	case TARGET_ACTION_ANSWER_NEVER:
		return FRAME_ANSWER_NEVER;
	default:
		return FRAME_ANSWER_UNKNOWN;
	}
}
