/* SPDX-License-Identifier: BSD-2-Clause */
/* The side that takes a machine over: see the header. */
#include "migrate/target.h"

#include "migrate/pages.h"
#include "migrate/stamps.h"
#include "migrate/state.h"

#include <endian.h>
#include <errno.h>
#include <stdio.h>

struct target {
	struct machine *machine;
	struct channel *channel;
	bool loaded; /* the state is in place and READY was sent */
	bool running;
};

int target_begin(struct machine *machine, struct channel *channel, struct console *console, const char *name,
		 struct error *error)
{
	struct machine_config config = { 0 };
	struct frame_hello hello;
	struct frame frame;
	int result = channel_expect(channel, FRAME_HELLO, &frame, error);

	if (!result)
		result = frame_get_hello(frame.data, frame.size, &hello, error);
	if (result)
		return result;
	snprintf(config.name, sizeof(config.name), "%s", name ? name : hello.name);
	config.vcpus = hello.vcpus;
	config.memory_size = hello.memory_size;
	return machine_create(machine, &config, console, error);
}

static int target_welcome(struct target *target, struct error *error)
{
	struct buffer buffer = { 0 };
	int result;

	frame_put_welcome(&buffer, host_counter_hz());
	result = channel_send(target->channel, FRAME_WELCOME, buffer.data, buffer.size, error);
	buffer_free(&buffer);
	return result;
}

static int target_state(struct target *target, const struct frame *frame, struct error *error)
{
	sc_ns_t gap;
	uint64_t answer;
	int result = state_load(target->machine, frame->data, frame->size, &gap, error);

	if (result)
		return result;
	answer = htole64(gap.v);
	target->loaded = true;
	return channel_send(target->channel, FRAME_READY, &answer, sizeof(answer), error);
}

static int target_try(struct target *target, const struct frame *frame, struct error *error)
{
	int result = state_try_registers(target->machine, frame->data, frame->size, error);

	return result ? result : channel_send(target->channel, FRAME_CHECKED, NULL, 0, error);
}

static int target_go(struct target *target, struct error *error)
{
	struct error ignored;

	if (!target->loaded)
		return error_set(error, EPROTO, "the other side sent GO before the machine's state");
	machine_run_loaded(target->machine);
	target->running = true;
	/* If DONE is lost the source asks its operator; this guest runs. */
	channel_send(target->channel, FRAME_DONE, NULL, 0, &ignored);
	return 0;
}

static int target_frame(struct target *target, const struct frame *frame, sc_ns_t received, struct error *error)
{
	if (target->loaded && frame->type != FRAME_GO)
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
	case FRAME_STATE:
		return target_state(target, frame, error);
	case FRAME_GO:
		return target_go(target, error);
	default:
		return error_set(error, EPROTO, "the other side sent %s, which a source never sends here",
				 frame_name(frame->type));
	}
}

int target_run(struct machine *machine, struct channel *channel, struct error *error)
{
	struct target target = { .machine = machine, .channel = channel };
	int result = target_welcome(&target, error);

	while (!result && !target.running) {
		struct frame frame;

		result = channel_receive(channel, &frame, error);
		if (!result)
			result = target_frame(&target, &frame, host_counter_ns(), error);
	}
	return result;
}
