/* SPDX-License-Identifier: BSD-2-Clause */
/* Two fake hosts and a migration between them: see the header. */
#include "pair.h"

#include "guest_call.h"
#include "migrate/target.h"
#include "port.h"
#include "../property/random.h"
#include "../wait_scale.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define SCATTERED_PAGES 40u
#define RUN_FIRST 1000u
#define RUN_PAGES 70u
#define PAGES (LAYOUT_RAM_MIN / MEMORY_PAGE_SIZE)
#define TAP_TIMEOUT_MS 20000
#define UP_MAX_S 3000000000ull /* a host that has been up for a century */
#define MAX_STEP_US 1000000u   /* frames may take their time */

/* Nobody waits long in a test, and the fake's time need not pass for a wait to end. */
static const struct handover_limits pair_limits = {
	.frame_ms = 30000,
	.prepare_ms = 300,
	.hold_ms = 300,
	.stopped_ms = 10000,
	.question_ms = 0,
	.retry_ms = 1,
	.disks_ms = 10000,
	.comparison_ms = 10000,
	.settled_ms = 600000,
	.linger_ms = 15000,
	.rekey_kib = 64 << 20,
};

/* ---- The machine ---- */

/* Calls `each` for every page that holds something. */
static bool pages_walk(uint64_t seed, bool (*each)(uint8_t *ram, uint64_t page, struct random *random), uint8_t *ram)
{
	struct random random = { seed };
	bool good = true;

	for (uint32_t n = 0; n < SCATTERED_PAGES; n++)
		good = each(ram, RUN_FIRST + RUN_PAGES + n * 300 + random_between(&random, 0, 298), &random) && good;
	for (uint32_t n = 0; n < RUN_PAGES; n++)
		good = each(ram, RUN_FIRST + n, &random) && good;
	return good;
}

static bool page_fill(uint8_t *ram, uint64_t page, struct random *random)
{
	uint64_t *words = (uint64_t *)(ram + page * MEMORY_PAGE_SIZE);

	words[0] = random_next(random) | 1;
	words[511] = random_next(random);
	return true;
}

static bool page_is_as_filled(uint8_t *ram, uint64_t page, struct random *random)
{
	const uint64_t *words = (const uint64_t *)(ram + page * MEMORY_PAGE_SIZE);
	uint64_t first = random_next(random) | 1, last = random_next(random);

	return words[0] == first && words[511] == last && !words[1] && !words[300];
}

bool pair_memory_is_intact(const struct pair *pair, const struct machine *machine)
{
	return pages_walk(pair->seed, page_is_as_filled, machine->memory.region[0].host);
}

static void pair_open_incoming(struct pair *pair, int n)
{
	char *address = pair->address[n ? PAIR_ASKED_STRANGER : PAIR_ASKED_TARGET];
	struct error error;

	pair->ports[n] = port_reserve(address);
	if (pair->ports[n] < 0)
		fake_violation("no port");
	if (incoming_open(&pair->incoming[n], &pair->limits, &error) ||
	    incoming_listen(&pair->incoming[n], address, &error))
		fake_violation(error.text);
}

void pair_open(struct pair *pair, uint32_t from_hz, uint32_t to_hz, uint32_t vcpus, uint64_t seed)
{
	const struct machine_config config = {
		.name = "pair",
		.vcpus = vcpus,
		.memory_size = LAYOUT_RAM_MIN,
		.model = CONFIG_MODEL_DEVICES,
	};

	pair_open_machine(pair, &config, from_hz, to_hz, seed);
}

void pair_open_machine(struct pair *pair, const struct machine_config *config, uint32_t from_hz, uint32_t to_hz,
		       uint64_t seed)
{
	struct random random = { seed };
	struct error error;

	*pair = (struct pair){ .seed = seed, .console = { .in = -1, .out = -1 }, .limits = pair_limits };
	pair->options = (struct source_options){
		.downtime_ms = SOURCE_DOWNTIME_MS,
		.max_step_us = MAX_STEP_US,
		.limits = &pair->limits,
		.channel = &pair->terms,
	};
	pair->host[0] = fake_host_make(from_hz, random_wide(&random) % (from_hz * UP_MAX_S));
	pair->host[1] = fake_host_make(to_hz, random_wide(&random) % (to_hz * UP_MAX_S));
	fake_watch_exclusive(true);
	fake_host_use(&pair->host[0]);
	if (machine_create(&pair->source, config, &pair->console, &error))
		fake_violation(error.text);
	pages_walk(seed, page_fill, pair->source.memory.region[0].host);
	for (int n = 0; n < 2; n++)
		pair_open_incoming(pair, n);
	snprintf(pair->address[PAIR_ASKED_NOBODY], sizeof(pair->address[0]), "127.0.0.1:1");
	fake_time_advance(random_between(&random, 0, 1000000));
	if (machine_resume(&pair->source, SC_CLOCK_FREEZE, false, &error))
		fake_violation(error.text);
	for (uint32_t n = 0; n < config->vcpus; n++)
		if (!fake_vcpu_wait_inside(&pair->source.vcpus.vcpu[n].host, true))
			fake_violation("the source does not start");
}

void pair_close(struct pair *pair)
{
	if (pair->target_lives)
		machine_destroy(&pair->target);
	machine_destroy(&pair->source);
	for (int n = 0; n < 2; n++) {
		incoming_close(&pair->incoming[n]);
		close(pair->ports[n]);
	}
	fake_watch_exclusive(false);
}

void pair_load_driver(struct pair *pair)
{
	guest_load_driver(&pair->source.vcpus.vcpu[0].host, PAIR_CLOCK_PAGE);
	for (uint32_t n = 1; n < pair->source.vcpus.count; n++) {
		fake_vcpu_of(&pair->source.vcpus.vcpu[n].host)->on = true;
		guest_set(&pair->source.vcpus.vcpu[n].host, SC_REG_STIMER0_CONFIG, GUEST_DIRECT(SC_STIMER0_INTID));
	}
}

bool pair_stayed(struct pair *pair)
{
	bool stayed = pair->source_state == SOURCE_RUNNING && pair->target_result &&
		      !fake_host_entries(&pair->host[1]) && machine_get_state(&pair->source) == MACHINE_RUNNING &&
		      fake_vcpu_wait_inside(&pair->source.vcpus.vcpu[0].host, true) &&
		      pair_memory_is_intact(pair, &pair->source);

	if (!stayed)
		fprintf(stderr, "source: %d, %s; target: %d, %s; entries there: %llu\n", pair->source_state,
			pair->source_error.text, pair->target_result, pair->target_error.text,
			(unsigned long long)fake_host_entries(&pair->host[1]));
	return stayed;
}

static void host_use(struct pair *pair, const struct machine *machine)
{
	fake_host_use(&pair->host[machine == &pair->target]);
}

uint64_t pair_reference(struct pair *pair, struct machine *machine)
{
	host_use(pair, machine);
	return clock_reference(&machine->clock).v;
}

uint64_t pair_guest_counter(struct pair *pair, struct machine *machine)
{
	host_use(pair, machine);
	return host_counter().v - fake_vm_of(&machine->vm)->offset;
}

/* ---- Both ends ---- */

static void source_conclude(struct pair *pair)
{
	if (pair->source_state == SOURCE_GONE)
		machine_finish(&pair->source, MACHINE_END_MIGRATED);
	else
		machine_end_migration(&pair->source,
				      pair->source_state == SOURCE_UNDECIDED ? MACHINE_UNDECIDED : MACHINE_RUNNING);
}

static void *source_thread(void *argument)
{
	struct pair *pair = argument;
	const struct wait_watch watch = { .fd = pair->gate.cancelled, .fn = gate_on_cancel };
	struct channel channel;

	fake_host_use(&pair->host[0]);
	channel_open(&channel, pair->ends[0][0], pair->limits.frame_ms);
	channel_watch(&channel, &watch);
	if (pair->dry_run)
		pair->dry_run_result =
			source_try(&pair->source, &channel, &pair->options, &pair->report, &pair->source_error);
	else
		pair->source_state =
			source_run(&pair->source, &channel, &pair->options, &pair->report, &pair->source_error);
	channel_close(&channel);
	source_conclude(pair);
	return NULL;
}

static void *ask_thread(void *argument)
{
	struct pair *pair = argument;

	fake_host_use(&pair->host[0]);
	pair->source_state = source_ask_again(&pair->source, &pair->options, &pair->report, &pair->source_error);
	source_conclude(pair);
	return NULL;
}

/* Serves both incoming sides until the source and all connections are done, or a migration has arrived. */
static bool incoming_serve_both(struct pair *pair, struct channel *channel, struct frame_hello *hello)
{
	bool taken = false;

	while (!taken && !__atomic_load_n(&pair->over, __ATOMIC_SEQ_CST)) {
		struct pollfd items[2] = {
			{ .fd = pair->incoming[0].events, .events = POLLIN },
			{ .fd = pair->incoming[1].events, .events = POLLIN },
		};

		poll(items, 2, 1);
		incoming_serve(&pair->incoming[0]);
		incoming_serve(&pair->incoming[1]);
		taken = channel && incoming_take(&pair->incoming[0], channel, hello);
	}
	/* The last that the source sent. */
	incoming_serve(&pair->incoming[0]);
	return taken;
}

static void *incoming_thread(void *argument)
{
	struct pair *pair = argument;

	fake_host_use(&pair->host[1]);
	incoming_serve_both(pair, NULL, NULL);
	return NULL;
}

/* As the monitor's receiver does. */
static void target_receive(struct pair *pair, struct channel *channel, const struct frame_hello *hello)
{
	struct error *error = &pair->target_error;
	struct target target;
	int result;

	target_open(&target, channel, hello, &pair->incoming[0]);
	if (pair->max_gap_s)
		target.max_gap_s = pair->max_gap_s;
	result = target_create(&target, &pair->target, NULL, &pair->console, error);
	if (!result) {
		result = target_run(&target, error);
		pair->target_lives = !result;
		if (result)
			machine_destroy(&pair->target);
	}
	pair->target_result = result;
	if (result) {
		incoming_give_up(&pair->incoming[0], channel, error);
		channel_close(channel);
	} else {
		incoming_await_settled(&pair->incoming[0], channel);
	}
}

static void *target_thread(void *argument)
{
	struct pair *pair = argument;
	struct frame_hello hello;
	struct channel channel;

	fake_host_use(&pair->host[1]);
	pair->target_result = -ENOMSG;
	error_format(&pair->target_error, "no migration was taken by the receiver");
	incoming_admit(&pair->incoming[0], pair->ends[1][0]);
	if (incoming_serve_both(pair, &channel, &hello)) {
		target_receive(pair, &channel, &hello);
		incoming_serve_both(pair, NULL, NULL);
	}
	return NULL;
}

/* ---- The tap between them ---- */

struct stream {
	struct pair *pair;
	struct random *random;
	enum pair_way way;
	int from;
	int to;
	struct buffer buffer;
	bool ended;
	bool lossy;
};

static void stream_end(struct stream *stream)
{
	stream->ended = true;
	shutdown(stream->to, SHUT_WR);
}

static void stream_send(struct stream *stream, const uint8_t *data, size_t size)
{
	while (size) {
		ssize_t done = send(stream->to, data, size, MSG_NOSIGNAL);

		if (done <= 0)
			return; /* this end has gone, which the other one will hear */
		data += done;
		size -= (size_t)done;
	}
}

/* False if the connection is to end. */
static bool stream_pass(struct stream *stream, uint8_t *frame, size_t size)
{
	static const uint8_t go[FRAME_HEADER_SIZE] = { FRAME_GO };
	struct pair *pair = stream->pair;
	size_t pass = PAIR_PASS;
	bool is_go = stream->way == PAIR_TO_TARGET && frame[0] == FRAME_GO;

	if (pair->jitter)
		fake_time_advance(random_between(stream->random, 0, pair->jitter));
	if (pair->tap)
		pass = pair->tap(pair, stream->way, pair->frames[stream->way], frame, size);
	pair->frames[stream->way]++;
	if (is_go && pass == PAIR_PASS && !memcmp(frame, go, sizeof(go)))
		pair->go_passed = true;
	stream->lossy = stream->lossy || pass == PAIR_LOSE;
	if (!stream->lossy)
		stream_send(stream, frame, pass < size ? pass : size);
	return pass >= size;
}

static size_t frame_size(const struct stream *stream)
{
	struct cursor cursor = cursor_make(stream->buffer.data, stream->buffer.size);

	cursor_u32(&cursor);
	return FRAME_HEADER_SIZE + cursor_u32(&cursor);
}

static bool stream_pass_all(struct stream *stream)
{
	bool go_on = true;

	while (go_on && stream->buffer.size >= FRAME_HEADER_SIZE && stream->buffer.size >= frame_size(stream)) {
		size_t size = frame_size(stream);

		go_on = stream_pass(stream, stream->buffer.data, size);
		memmove(stream->buffer.data, stream->buffer.data + size, stream->buffer.size - size);
		stream->buffer.size -= size;
	}
	return go_on;
}

static bool stream_serve(struct stream *stream)
{
	uint8_t bytes[65536];
	ssize_t got = recv(stream->from, bytes, sizeof(bytes), 0);

	if (got <= 0) {
		stream_end(stream);
		return true;
	}
	buffer_put(&stream->buffer, bytes, (size_t)got);
	return stream_pass_all(stream);
}

/* Until both ends have closed; a cut closes both at once. */
static void tap_run(struct pair *pair)
{
	struct random random = { pair->seed };
	struct stream streams[PAIR_WAYS] = {
		{ pair, &random, PAIR_TO_TARGET, pair->ends[0][1], pair->ends[1][1], { 0 }, false, false },
		{ pair, &random, PAIR_TO_SOURCE, pair->ends[1][1], pair->ends[0][1], { 0 }, false, false },
	};
	bool go_on = true;

	while (go_on && (!streams[0].ended || !streams[1].ended)) {
		struct pollfd items[PAIR_WAYS];

		for (int way = 0; way < PAIR_WAYS; way++)
			items[way] =
				(struct pollfd){ .fd = streams[way].ended ? -1 : streams[way].from, .events = POLLIN };
		if (poll(items, PAIR_WAYS, (int)wait_scaled(TAP_TIMEOUT_MS)) <= 0)
			fake_violation("a migration hangs");
		for (int way = 0; way < PAIR_WAYS; way++)
			if (go_on && items[way].revents)
				go_on = stream_serve(&streams[way]);
	}
	for (int way = 0; way < PAIR_WAYS; way++) {
		shutdown(streams[way].to, SHUT_RDWR);
		buffer_free(&streams[way].buffer);
	}
}

static void pair_begin(struct pair *pair)
{
	pair->options.host = pair->address[pair->asked];
	pair->options.gate = &pair->gate;
	pair->over = false;
	memset(pair->frames, 0, sizeof(pair->frames));
}

static void *operator_thread(void *argument)
{
	struct pair *pair = argument;

	if (pair->operator)
		pair->operator(pair);
	return NULL;
}

void pair_migrate(struct pair *pair)
{
	pthread_t source, target, operator;

	pair_begin(pair);
	pair->go_passed = false;
	if (machine_begin_migration(&pair->source, &pair->source_error) || gate_open(&pair->gate, &pair->source_error))
		fake_violation(pair->source_error.text);
	for (int n = 0; n < 2; n++)
		if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair->ends[n]))
			fake_violation("no sockets");
	pthread_create(&source, NULL, source_thread, pair);
	pthread_create(&target, NULL, target_thread, pair);
	pthread_create(&operator, NULL, operator_thread, pair);
	tap_run(pair);
	pthread_join(source, NULL);
	__atomic_store_n(&pair->over, true, __ATOMIC_SEQ_CST);
	pthread_join(target, NULL);
	pthread_join(operator, NULL);
	close(pair->ends[0][1]);
	close(pair->ends[1][1]);
	gate_close(&pair->gate);
}

void pair_ask_again(struct pair *pair)
{
	pthread_t source, target;

	pair_begin(pair);
	if (machine_begin_question(&pair->source, &pair->source_error))
		fake_violation(pair->source_error.text);
	pthread_create(&target, NULL, incoming_thread, pair);
	pthread_create(&source, NULL, ask_thread, pair);
	pthread_join(source, NULL);
	__atomic_store_n(&pair->over, true, __ATOMIC_SEQ_CST);
	pthread_join(target, NULL);
}
