/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The small frames, the hellos among them: what is taken is written as the same bytes again, what is refused has its
 * sentence. An older protocol may be spoken, which is answered by this one. A description may be in the form of an
 * older version, so it is held against itself after a further journey. The input is one frame with its header.
 */
#include "fuzz.h"

#include "migrate/report.h"

#include <string.h>

static int hello_again(const struct frame *frame, struct buffer *again, struct error *error)
{
	struct frame_hello hello;
	int result = frame_get_hello(frame->data, frame->size, &hello, error);

	if (!result)
		frame_put_hello(again, &hello);
	return result;
}

static int machine_again(const struct frame *frame, struct buffer *again, struct error *error)
{
	struct machine_config config, same;
	struct buffer further = { 0 };
	int result = config_get(frame->data, frame->size, &config, error);

	if (result)
		return result;
	config_put(again, &config);
	FUZZ_MUST(again->size <= CONFIG_SIZE_MAX);
	FUZZ_MUST(!config_get(again->data, again->size, &same, error));
	config_put(&further, &same);
	FUZZ_MUST(further.size == again->size && !memcmp(further.data, again->data, again->size));
	buffer_free(&further);
	return 0;
}

static int welcome_again(const struct frame *frame, struct buffer *again, struct error *error)
{
	uint32_t hz;
	int result = frame_get_welcome(frame->data, frame->size, &hz, error);

	if (!result)
		frame_put_welcome(again, hz);
	return result;
}

static int ready_again(const struct frame *frame, struct buffer *again, struct error *error)
{
	struct frame_ready ready;
	int result = frame_get_ready(frame->data, frame->size, &ready, error);

	if (!result)
		frame_put_ready(again, &ready);
	return result;
}

static int question_again(const struct frame *frame, struct buffer *again, struct error *error)
{
	struct frame_id id;
	int result = frame_get_question(frame->data, frame->size, &id, error);

	if (!result)
		frame_put_question(again, &id);
	return result;
}

static int answer_again(const struct frame *frame, struct buffer *again, struct error *error)
{
	enum frame_answer answer;
	int result = frame_get_answer(frame->data, frame->size, &answer, error);

	if (!result)
		frame_put_answer(again, answer);
	return result;
}

static int report_again(const struct frame *frame, struct buffer *again, struct error *error)
{
	struct cursor cursor = cursor_make(frame->data, frame->size);
	struct report report;
	int result = report_get(&cursor, &report, error);

	if (result)
		return result;
	report_put(again, &report);
	json_decref(report_json(&report));
	return 0;
}

static int (*const contents[FRAME_TYPES])(const struct frame *frame, struct buffer *again, struct error *error) = {
	[FRAME_HELLO] = hello_again,	 [FRAME_WELCOME] = welcome_again,   [FRAME_READY] = ready_again,
	[FRAME_MACHINE] = machine_again, [FRAME_QUESTION] = question_again, [FRAME_ANSWER] = answer_again,
	[FRAME_SETTLED] = report_again,
};

/* How many bytes of a content are a magic number and a version, which are not its own. */
static size_t prologue_size(enum frame_type type)
{
	bool has_prologue = type == FRAME_HELLO || type == FRAME_WELCOME || type == FRAME_QUESTION;

	return has_prologue ? sizeof(uint64_t) + sizeof(uint32_t) : 0;
}

static void expect_again(const struct frame *frame, const struct buffer *again)
{
	size_t prologue = prologue_size(frame->type);

	FUZZ_MUST(again->size == frame->size);
	FUZZ_MUST(!memcmp(again->data + prologue, frame->data + prologue, frame->size - prologue));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buffer again = { 0 };
	struct error error = { .text = "" };
	struct frame frame;
	uint32_t length;

	if (size < FRAME_HEADER_SIZE)
		return 0;
	if (frame_get_header(data, &frame.type, &length, &error)) {
		FUZZ_MUST(error.text[0]);
		return 0;
	}
	frame.data = data + FRAME_HEADER_SIZE;
	frame.size = size - FRAME_HEADER_SIZE;
	if (contents[frame.type]) {
		if (contents[frame.type](&frame, &again, &error))
			FUZZ_MUST(error.text[0]);
		else if (frame.type != FRAME_MACHINE)
			expect_again(&frame, &again);
	}
	buffer_free(&again);
	return 0;
}
