/* SPDX-License-Identifier: BSD-2-Clause */
/* The question what became of a migration: see the header. */
#include "migrate/question.h"

#include "host/deadline.h"

#include <poll.h>

static int question_put(struct channel *channel, const struct frame_id *id, enum frame_answer *answer,
			struct error *error)
{
	struct buffer buffer = { 0 };
	struct frame frame;
	int result;

	frame_put_question(&buffer, id);
	result = channel_send_buffer(channel, FRAME_QUESTION, &buffer, error);
	if (!result)
		result = channel_expect(channel, FRAME_ANSWER, &frame, error);
	return result ? result : frame_get_answer(frame.data, frame.size, answer, error);
}

static int question_once(struct channel *channel, const char *host, struct channel_terms *terms,
			 const struct frame_id *id, int limit_ms, enum frame_answer *answer, struct error *error)
{
	sc_ns_t deadline = deadline_after_ms(limit_ms);
	int result = channel_connect(channel, host, limit_ms, terms, NULL, error);

	if (result)
		return result;
	channel->deadline = deadline;
	result = question_put(channel, id, answer, error);
	if (result)
		channel_close(channel);
	return result;
}

int question_ask(struct channel *channel, const char *host, struct channel_terms *terms, const struct frame_id *id,
		 const struct handover_limits *limits, int patience_ms, enum frame_answer *answer, struct error *error)
{
	sc_ns_t deadline = deadline_after_ms(patience_ms);
	int left_ms = limits->stopped_ms;

	for (;;) {
		int limit_ms = limits->stopped_ms < left_ms ? limits->stopped_ms : left_ms;
		int result = question_once(channel, host, terms, id, limit_ms, answer, error);

		left_ms = deadline_left_ms(deadline);
		if (!left_ms || (!result && *answer != FRAME_ANSWER_UNKNOWN))
			return result;
		if (!result)
			channel_close(channel);
		poll(NULL, 0, limits->retry_ms < left_ms ? limits->retry_ms : left_ms);
	}
}

enum source_event question_event(int result, enum frame_answer answer)
{
	if (!result && answer == FRAME_ANSWER_RUNNING)
		return SOURCE_EVENT_ANSWER_RUNNING;
	if (!result && answer == FRAME_ANSWER_NEVER)
		return SOURCE_EVENT_ANSWER_NEVER;
	return SOURCE_EVENT_NO_ANSWER;
}
