/* SPDX-License-Identifier: BSD-2-Clause */
/* A scripted source of a migration: see the header. */
#include "source_script.h"

#include "guest_call.h"
#include "transfer/arrival.h"
#include "machine/state.h"
#include "migrate/target.h"

#include <endian.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define SOCKET_ROOM (1 << 20)
#define FROM_HZ 25000000u
#define HEAR_LIMIT_MS 1000

/* ---- Playing ---- */

static int stream_load(const void *stream, size_t size, int ends[2])
{
	int room = SOCKET_ROOM;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends))
		return -1;
	for (int n = 0; n < 2; n++)
		setsockopt(ends[n], SOL_SOCKET, SO_SNDBUF, &room, sizeof(room));
	if (send(ends[1], stream, size, MSG_NOSIGNAL | MSG_DONTWAIT) != (ssize_t)size)
		return -1;
	return shutdown(ends[1], SHUT_WR);
}

/* Why the incoming side did not take the connection: -EPROTO and the sentence that it sent, or -ECONNRESET if it sent
 * none. */
static int refused_at_incoming(int fd, struct error *error)
{
	struct channel channel;
	struct frame frame;
	int result;

	channel_open(&channel, fd, HEAR_LIMIT_MS);
	result = channel_receive(&channel, &frame, error);
	channel_close(&channel);
	return result == -ECONNABORTED ? -EPROTO : -ECONNRESET;
}

static int play_machine(struct incoming *incoming, struct channel *channel, const struct frame_hello *hello,
			struct error *error)
{
	struct console console = { .in = -1, .out = -1 };
	struct machine machine;
	struct target target;
	int result;

	target_open(&target, channel, hello, incoming);
	result = target_create(&target, &machine, NULL, &console, error);
	if (result)
		return result;
	result = target_run(&target, error);
	if (!result && !fake_vcpu_wait_inside(&machine.vcpus.vcpu[0].host, true))
		fake_violation("the target does not run");
	machine_destroy(&machine);
	return result;
}

int source_script_play(const void *stream, size_t size, bool *ran, struct error *error)
{
	uint64_t entries = fake_host_entries(fake_host_current());
	struct frame_hello hello;
	struct channel channel;
	struct incoming incoming;
	int ends[2], result;

	if (stream_load(stream, size, ends))
		fake_violation("the stream does not fit into a socket");
	if (incoming_open(&incoming, &handover_limits, error))
		fake_violation(error->text);
	incoming_admit(&incoming, ends[0]);
	incoming_serve(&incoming);
	if (incoming_take(&incoming, &channel, &hello)) {
		result = play_machine(&incoming, &channel, &hello, error);
		channel_close(&channel);
		close(ends[1]);
	} else {
		incoming_close(&incoming);
		result = refused_at_incoming(ends[1], error);
	}
	incoming_close(&incoming);
	*ran = fake_host_entries(fake_host_current()) != entries;
	return result;
}

/* ---- Recording ---- */

static void record_frame(struct buffer *stream, enum frame_type type, const void *data, size_t size)
{
	frame_put_header(buffer_reserve(stream, FRAME_HEADER_SIZE), type, (uint32_t)size);
	buffer_put(stream, data, size);
}

static void record_content(struct buffer *stream, enum frame_type type, struct buffer *content)
{
	record_frame(stream, type, content->data, content->size);
	buffer_free(content);
}

static void record_description(struct buffer *stream, const struct machine *machine)
{
	struct frame_hello hello = arrival_hello(machine, SC_LEVEL_NONE);
	struct buffer content = { 0 };

	hello.id.bytes[0] = 1;
	hello.hz = FROM_HZ;
	frame_put_hello(&content, &hello);
	record_content(stream, FRAME_HELLO, &content);
	config_put(&content, &machine->config);
	record_content(stream, FRAME_MACHINE, &content);
}

static void record_check(struct buffer *stream, struct machine *machine)
{
	struct buffer content = { 0 };
	struct error error;

	if (state_save_trial(machine, &content, &error))
		fake_violation(error.text);
	record_frame(stream, FRAME_CHECK, content.data, content.size);
	buffer_free(&content);
}

static void record_state(struct buffer *stream, struct machine *machine)
{
	const struct clock_handoff handoff = { .policy = SC_CLOCK_ADVANCE };
	struct buffer content = { 0 };
	struct error error;

	devices_quiesce(&machine->devices);
	if (state_save(machine, &handoff, &content, &error))
		fake_violation(error.text);
	record_frame(stream, FRAME_STATE, content.data, content.size);
	buffer_free(&content);
}

static void record_memory(struct buffer *stream)
{
	const uint64_t zeroes[2] = { htole64(LAYOUT_RAM_BASE + 64 * 4096), htole64(64) };
	uint8_t pages[sizeof(uint64_t) + MEMORY_PAGE_SIZE];
	uint64_t gpa = htole64(LAYOUT_RAM_BASE + 4096);

	memset(pages, 0x33, sizeof(pages));
	memcpy(pages, &gpa, sizeof(gpa));
	record_frame(stream, FRAME_PAGES, pages, sizeof(pages));
	record_frame(stream, FRAME_ZEROES, zeroes, sizeof(zeroes));
	record_frame(stream, FRAME_SYNC, NULL, 0);
	record_frame(stream, FRAME_CLOCK, NULL, 0);
	record_frame(stream, FRAME_STAMP, NULL, 0);
	record_frame(stream, FRAME_STAMP, NULL, 0);
	record_frame(stream, FRAME_PAGES, pages, sizeof(pages));
}

static void record_guest(struct machine *machine)
{
	const struct host_vcpu *vcpu = &machine->vcpus.vcpu[0].host;
	struct error error;

	if (machine_resume(machine, SC_CLOCK_FREEZE, false, &error))
		fake_violation(error.text);
	guest_load_driver(vcpu, LAYOUT_RAM_BASE + 9 * 4096);
	guest_set(vcpu, SC_REG_STIMER0_COUNT, 1000);
	if (machine_pause(machine, &error))
		fake_violation(error.text);
}

void source_script_record(struct buffer *stream)
{
	const struct machine_config config = {
		.name = "recorded",
		.vcpus = 1,
		.memory_size = LAYOUT_RAM_MIN,
		.model = CONFIG_MODEL_DEVICES,
		.on_reboot = CONFIG_RESET,
		.kernel = "/boot/Image",
		.command_line = "console=ttyAMA0",
	};
	struct fake_host *before = fake_host_current(), host = fake_host_make(FROM_HZ, 12345678);
	struct console console = { .in = -1, .out = -1 };
	struct machine machine;
	struct error error;

	fake_host_use(&host);
	if (machine_create(&machine, &config, &console, &error))
		fake_violation(error.text);
	record_guest(&machine);
	record_description(stream, &machine);
	record_check(stream, &machine);
	record_memory(stream);
	record_state(stream, &machine);
	record_frame(stream, FRAME_GO, NULL, 0);
	machine_destroy(&machine);
	fake_host_use(before);
}

/* ---- Times ---- */

static uint8_t *section_content(uint8_t *state, size_t size, uint32_t id)
{
	struct cursor cursor = cursor_make(state, size);
	struct section section;

	while (section_next(&cursor, &section))
		if (section.id == id)
			return state + (section.content.data - state);
	fake_violation("the state lacks a section");
	return NULL;
}

struct source_script_times source_script_find_times(uint8_t *state, size_t size)
{
	uint8_t *handoff = section_content(state, size, SECTION_ID('H', 'A', 'N', 'D'));

	return (struct source_script_times){
		.difference = handoff,
		.policy = handoff + sizeof(uint64_t),
		.stopped = section_content(state, size, SECTION_ID('C', 'L', 'C', 'K')),
	};
}

uint64_t source_script_read(const uint8_t *place)
{
	struct cursor cursor = cursor_make(place, sizeof(uint64_t));

	return cursor_u64(&cursor);
}

void source_script_write(uint8_t *place, uint64_t value)
{
	uint64_t bytes = htole64(value);

	memcpy(place, &bytes, sizeof(bytes));
}

/* The STATE of a stream that has one: its header is at the place that is returned. */
static uint8_t *stream_state(struct buffer *stream, size_t *size)
{
	for (size_t at = 0; at < stream->size; at += FRAME_HEADER_SIZE + *size) {
		struct cursor cursor = cursor_make(stream->data + at, FRAME_HEADER_SIZE);
		uint32_t type = cursor_u32(&cursor);

		*size = cursor_u32(&cursor);
		if (type == FRAME_STATE)
			return stream->data + at;
	}
	fake_violation("the stream has no state");
	return NULL;
}

void source_script_stop_at(struct buffer *stream, sc_ns_t when)
{
	size_t size;
	uint8_t *state = stream_state(stream, &size);
	struct source_script_times times = source_script_find_times(state + FRAME_HEADER_SIZE, size);

	source_script_write(times.difference, when.v - source_script_read(times.stopped));
}
