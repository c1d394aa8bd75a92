/* SPDX-License-Identifier: BSD-2-Clause */
/* The side that takes a machine over: see the header. */
#include "migrate/target.h"

#include "migrate/pages.h"
#include "migrate/stamps.h"
#include "migrate/state.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

struct target {
	struct machine *machine;
	struct channel *channel;
	const struct frame_hello *hello;
	struct incoming *incoming;
};

static enum target_state target_state(const struct target *target)
{
	enum target_state state = TARGET_NEVER;

	ledger_find(&target->incoming->ledger, &target->hello->id, &state);
	return state;
}

static enum target_action target_event(struct target *target, enum target_event event)
{
	return ledger_step(&target->incoming->ledger, &target->hello->id, event);
}

/* ---- Whether this host can ---- */

static int check_machine(const struct frame_hello *hello, struct error *error)
{
	uint32_t bits;
	int result;

	if (hello->architecture != FRAME_ARCHITECTURE)
		return error_set(error, ENOTSUP,
				 "the guest's architecture has the number %" PRIu32 " in ELF files, this host's has %u",
				 hello->architecture, FRAME_ARCHITECTURE);
	if (hello->gic != FRAME_GIC)
		return error_set(error, ENOTSUP,
				 "the guest has a GIC of version %" PRIu32 ", here they have version %u", hello->gic,
				 FRAME_GIC);
	if (hello->page_size != host_page_size())
		return error_set(error, ENOTSUP,
				 "the other host's kernel has pages of %" PRIu32 " bytes, this one's of %" PRIu32,
				 hello->page_size, host_page_size());
	result = host_address_bits(&bits, error);
	if (result || hello->address_bits <= bits)
		return result;
	return error_set(error, ENOTSUP,
			 "the guest has physical addresses of %" PRIu32 " bits, this host's KVM gives %" PRIu32,
			 hello->address_bits, bits);
}

static int check_memory(const struct frame_hello *hello, struct error *error)
{
	uint64_t available = host_memory_available();

	if (hello->memory_size <= available)
		return 0;
	return error_set(error, ENOMEM,
			 "the guest has %" PRIu64 " MiB of memory, and this host has %" PRIu64
			 " MiB available: free some, or migrate to another host",
			 hello->memory_size >> 20, available >> 20);
}

int target_begin(struct machine *machine, const struct frame_hello *hello, struct console *console, const char *name,
		 struct error *error)
{
	struct machine_config config = { .vcpus = hello->vcpus, .memory_size = hello->memory_size };
	int result = check_machine(hello, error);

	if (!result)
		result = check_memory(hello, error);
	if (result)
		return result;
	snprintf(config.name, sizeof(config.name), "%s", name ? name : hello->name);
	result = machine_create(machine, &config, console, error);
	if (!result)
		machine_begin_receiving(machine);
	return result;
}

/* ---- What comes ---- */

static int target_welcome(struct target *target, struct error *error)
{
	struct buffer buffer = { 0 };

	frame_put_welcome(&buffer, host_counter_hz());
	return channel_send_buffer(target->channel, FRAME_WELCOME, &buffer, error);
}

static int target_try(struct target *target, const struct frame *frame, struct error *error)
{
	int result = state_try_registers(target->machine, frame->data, frame->size, error);

	if (!result)
		result = channel_send(target->channel, FRAME_CHECKED, NULL, 0, error);
	if (!result && target->hello->dry_run)
		return error_set(error, ECANCELED, "a dry run: it could run here");
	return result;
}

static int target_pages(struct target *target, const struct frame *frame, struct error *error)
{
	int result = channel_look(target->channel, error);

	return result ? result : pages_load(&target->machine->memory, frame, error);
}

/* Last of all that can fail; then READY. */
static int target_load(struct target *target, const struct frame *frame, struct error *error)
{
	sc_ns_t began = host_monotonic();
	struct frame_ready ready;
	struct buffer buffer = { 0 };
	int result = state_load(target->machine, frame->data, frame->size, &ready.gap, error);

	if (!result)
		result = machine_end_hold(target->machine, SC_HOLD_MOVED, error);
	if (result)
		return result;
	ready.loading = sc_ns(host_monotonic().v - began.v);
	target_event(target, TARGET_EVENT_LOADED);
	target->channel->limit_ms = target->incoming->limits->stopped_ms;
	frame_put_ready(&buffer, &ready);
	return channel_send_buffer(target->channel, FRAME_READY, &buffer, error);
}

static int target_go(struct target *target, struct error *error)
{
	struct error ignored;

	if (target_event(target, TARGET_EVENT_GO) != TARGET_ACTION_RUN)
		return error_set(error, EPROTO, "the other side sent GO before the machine's state");
	machine_run_loaded(target->machine);
	/* If DONE is lost the source asks. */
	channel_send(target->channel, FRAME_DONE, NULL, 0, &ignored);
	return 0;
}

static int target_frame(struct target *target, const struct frame *frame, sc_ns_t received, struct error *error)
{
	if (target_state(target) == TARGET_READY && frame->type != FRAME_GO)
		return error_set(error, EPROTO, "the other side sent %s where GO was due", frame_name(frame->type));
	switch (frame->type) {
	case FRAME_CHECK:
		return target_try(target, frame, error);
	case FRAME_PAGES:
	case FRAME_ZEROES:
		return target_pages(target, frame, error);
	case FRAME_SYNC:
		return channel_send(target->channel, FRAME_SYNCED, NULL, 0, error);
	case FRAME_STAMP:
		return stamps_answer(target->channel, received, error);
	case FRAME_CLOCK:
		return stamps_answer_clock(target->channel, error);
	case FRAME_STATE:
		return target_load(target, frame, error);
	case FRAME_GO:
		return target_go(target, error);
	default:
		return error_set(error, EPROTO, "the other side sent %s, which a source never sends here",
				 frame_name(frame->type));
	}
}

/* ---- The incoming meanwhile ---- */

/* A channel_watch_fn: somebody asks, and if it is about this migration it has come to its end here. */
static int target_incoming(void *context, struct error *error)
{
	struct target *target = context;

	incoming_serve(target->incoming);
	if (target_state(target) != TARGET_NEVER)
		return 0;
	return error_set(error, ECONNABORTED, "the other side gave the migration up and asked what became of it");
}

int target_run(struct machine *machine, struct channel *channel, const struct frame_hello *hello,
	       struct incoming *incoming, struct error *error)
{
	struct target target = { .machine = machine, .channel = channel, .hello = hello, .incoming = incoming };
	const struct channel_watch watch = { .fd = incoming->events, .fn = target_incoming, .context = &target };
	int result;

	channel_watch(channel, &watch);
	result = target_welcome(&target, error);
	while (!result && target_state(&target) != TARGET_RUNNING) {
		struct frame frame;

		result = channel_receive(channel, &frame, error);
		if (!result)
			result = target_frame(&target, &frame, host_counter_ns(), error);
	}
	if (result)
		target_event(&target, TARGET_EVENT_FAILED);
	return result;
}
