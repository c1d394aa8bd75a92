/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A migration's source, and a target that says anything: the guest runs on at the source with a sentence, unless GO was
 * sent; then the source knows that the guest is gone, or is paused and says so.
 *
 * The input is a row of bytes for the answers that are due. The two lowest bits of each: hang up; answer so many times
 * as a target does; once, but changed by the next bytes; or with the next bytes instead of a frame. After the last one
 * the target hangs up.
 *
 * Slow: 300 inputs are a short run.
 */
#include "fuzz.h"
#include "input.h"

#include "../fake/host_fake.h"
#include "machine/machine.h"
#include "migrate/source.h"

#include <endian.h>
#include <pthread.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define HEAR_MS 50 /* a source that waits for the rest of a frame is not waited for */
#define STEP_NS 50
#define ANSWER_MAX 512u

enum {
	MODE_HANG_UP,
	MODE_HONEST,
	MODE_CHANGED,
	MODE_RAW,
};

static const struct machine_config config = {
	.name = "fuzzed", .vcpus = 1, .memory_size = LAYOUT_RAM_MIN, .model = CONFIG_MODEL_NEW
};
static struct console console = { .in = -1, .out = -1 };
static struct fake_host hosts[2];
static struct machine machine;
static bool lives;

static struct handover_limits limits = {
	.frame_ms = 1000,
	.prepare_ms = 1,
	.hold_ms = 1,
	.stopped_ms = 1000,
	.retry_ms = 1,
	.disks_ms = 1,
	.comparison_ms = 100,
};

/* ---- The target ---- */

struct target {
	struct channel channel;
	struct input input;
	uint32_t honest; /* answers that are so, without another look at the input */
	bool heard_go;
};

/* What a target says to a frame: false if nothing is due. */
static bool answer_make(struct target *target, enum frame_type asked, enum frame_type *type, struct buffer *content)
{
	static const enum frame_type answers[FRAME_TYPES] = {
		[FRAME_MACHINE] = FRAME_WELCOME, [FRAME_CHECK] = FRAME_CHECKED, [FRAME_SYNC] = FRAME_SYNCED,
		[FRAME_STAMP] = FRAME_STAMPED,	 [FRAME_CLOCK] = FRAME_CLOCKED, [FRAME_STATE] = FRAME_READY,
		[FRAME_GO] = FRAME_DONE,
	};
	const struct frame_ready ready = { .gap = sc_ns(0), .loading = sc_ns(0) };
	struct sc_statement statement;

	target->heard_go |= asked == FRAME_GO;
	*type = answers[asked];
	if (asked == FRAME_MACHINE) {
		frame_put_welcome(content, hosts[1].hz);
	} else if (asked == FRAME_STAMP) {
		buffer_put_u64(content, host_counter_ns().v);
		buffer_put_u64(content, host_counter_ns().v);
	} else if (asked == FRAME_CLOCK) {
		statement = host_statement();
		frame_put_statement(content, &statement);
	} else if (asked == FRAME_STATE) {
		frame_put_ready(content, &ready);
	}
	return *type;
}

static void change(struct input *input, uint8_t *frame, size_t size)
{
	for (uint64_t n = input_take(input, 1) % 4 + 1; n; n--) {
		size_t place = input_take(input, 1) % size;

		frame[place] ^= (uint8_t)input_take(input, 1);
	}
}

static bool say_raw(struct target *target)
{
	uint8_t bytes[ANSWER_MAX];
	size_t size = input_take(&target->input, 2) % ANSWER_MAX;

	for (size_t n = 0; n < size; n++)
		bytes[n] = (uint8_t)input_take(&target->input, 1);
	return send(target->channel.transport.fd, bytes, size, MSG_NOSIGNAL) == (ssize_t)size;
}

/* False if the target hangs up. */
static bool answer(struct target *target, enum frame_type type, const struct buffer *content)
{
	uint8_t frame[FRAME_HEADER_SIZE + ANSWER_MAX];
	size_t size = FRAME_HEADER_SIZE + content->size;
	uint8_t mode = MODE_HONEST;

	frame_put_header(frame, type, (uint32_t)content->size);
	if (content->size)
		memcpy(frame + FRAME_HEADER_SIZE, content->data, content->size);
	if (target->honest) {
		target->honest--;
	} else {
		mode = (uint8_t)input_take(&target->input, 1);
		target->honest = (mode & 3) == MODE_HONEST ? mode >> 2 : 0;
	}
	switch (mode & 3) {
	case MODE_HANG_UP:
		return false;
	case MODE_RAW:
		return say_raw(target);
	case MODE_CHANGED:
		change(&target->input, frame, size);
		break;
	}
	return send(target->channel.transport.fd, frame, size, MSG_NOSIGNAL) == (ssize_t)size;
}

static void *target_thread(void *argument)
{
	struct target *target = argument;
	struct error ignored;
	struct frame frame;
	bool go_on = true;

	fake_host_use(&hosts[1]);
	while (go_on && !channel_receive(&target->channel, &frame, &ignored)) {
		struct buffer content = { 0 };
		enum frame_type type;

		if (answer_make(target, frame.type, &type, &content))
			go_on = answer(target, type, &content);
		buffer_free(&content);
	}
	shutdown(target->channel.transport.fd, SHUT_RDWR);
	return NULL;
}

/* ---- The source ---- */

static void machine_begin(void)
{
	struct error error;

	if (lives)
		return;
	fake_reset();
	fake_time_set_step(STEP_NS);
	hosts[0] = fake_host_make(25000000, 1000000);
	hosts[1] = fake_host_make(1000000000, 1ull << 50);
	fake_host_use(&hosts[0]);
	FUZZ_MUST(!machine_create(&machine, &config, &console, &error) &&
		  !machine_resume(&machine, SC_CLOCK_FREEZE, false, &error));
	lives = true;
}

static struct channel_terms terms;

static enum source_state migrate(struct channel *channel, struct error *error)
{
	struct source_options options = {
		.host = "127.0.0.1:1",
		.terms = { .force = true },
		.downtime_ms = SOURCE_DOWNTIME_MS,
		.max_step_us = 1000000,
		.limits = &limits,
		.channel = &terms,
	};
	enum source_state state;
	struct report report;
	struct gate gate;

	FUZZ_MUST(!machine_begin_migration(&machine, error) && !gate_open(&gate, error));
	options.gate = &gate;
	state = source_run(&machine, channel, &options, &report, error);
	gate_close(&gate);
	return state;
}

/* The same machine goes through one migration after the other, until one takes it. */
static void conclude(enum source_state state, bool handed)
{
	struct error error;

	FUZZ_MUST(state == SOURCE_RUNNING || handed);
	if (state == SOURCE_GONE) {
		machine_finish(&machine, MACHINE_END_MIGRATED);
		machine_destroy(&machine);
		lives = false;
		return;
	}
	machine_end_migration(&machine, state == SOURCE_UNDECIDED ? MACHINE_UNDECIDED : MACHINE_RUNNING);
	if (state == SOURCE_UNDECIDED) {
		FUZZ_MUST(!fake_machines_inside());
		FUZZ_MUST(!machine_resume(&machine, SC_CLOCK_ADVANCE, true, &error));
	}
	FUZZ_MUST(fake_vcpu_wait_inside(&machine.vcpus.vcpu[0].host, true));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct target target = { .input = { data, size } };
	struct error error = { .text = "" };
	enum source_state state;
	struct channel channel;
	pthread_t thread;
	int ends[2];

	limits.stamps = handover_limits.stamps;
	machine_begin();
	FUZZ_MUST(!socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends));
	channel_open(&channel, ends[0], limits.frame_ms);
	channel_open(&target.channel, ends[1], HEAR_MS);
	FUZZ_MUST(!pthread_create(&thread, NULL, target_thread, &target));
	state = migrate(&channel, &error);
	channel_close(&channel);
	pthread_join(thread, NULL);
	channel_close(&target.channel);
	FUZZ_MUST(state == SOURCE_GONE || error.text[0]);
	conclude(state, target.heard_go);
	return 0;
}
