/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A target whose source takes its time, on purpose or not: how long it lets a source hold it, that nobody can prolong
 * its time for GO, and when it does not take GO any more.
 *
 * Policy: the target in this thread, its source in another; only the source moves time.
 */
#include "unit.h"
#include "../fake/source_script.h"
#include "../fake/port.h"

#include "migrate/target.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define LIMIT_S 60
#define S 1000000000ull
#define MS 1000000ull

static struct incoming incoming;
static struct channel_terms terms;
static struct error error;
static struct buffer good;
static int source = -1, port = -1;
static char address[PORT_TEXT_SIZE];
static size_t opening_size; /* of HELLO and MACHINE */
static uint64_t entries;
static uint32_t rounds; /* that the source has played */
static struct frame_id id;

static int set_up(void **state)
{
	struct cursor cursor;
	int ends[2];

	(void)state;
	alarm(LIMIT_S);
	fake_reset();
	source_script_record(&good);
	opening_size = 0;
	for (int n = 0; n < 2; n++) {
		cursor = cursor_make(good.data + opening_size + sizeof(uint32_t), sizeof(uint32_t));
		opening_size += FRAME_HEADER_SIZE + cursor_u32(&cursor);
	}
	rounds = 0;
	entries = fake_host_entries(fake_host_current());
	port = port_reserve(address);
	if (port < 0 || incoming_open(&incoming, &handover_limits, &error) ||
	    incoming_listen(&incoming, address, &error) || socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends))
		return -1;
	incoming_admit(&incoming, ends[0]);
	source = ends[1];
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	incoming_close(&incoming);
	buffer_free(&good);
	close(source);
	close(port);
	alarm(0);
	return 0;
}

/* ---- The source's side; false once the target has closed ---- */

static bool source_send(enum frame_type type)
{
	uint8_t header[FRAME_HEADER_SIZE];

	frame_put_header(header, type, 0);
	return send(source, header, sizeof(header), MSG_NOSIGNAL) == sizeof(header);
}

static bool source_read(void *data, size_t size)
{
	return recv(source, data, size, MSG_WAITALL) == (ssize_t)size;
}

/* Reads frames up to one of that type. */
static bool source_await(enum frame_type wanted)
{
	uint8_t header[FRAME_HEADER_SIZE], content[4096];
	enum frame_type type;
	uint32_t size;

	while (source_read(header, sizeof(header))) {
		if (frame_get_header(header, &type, &size, &error) || size > sizeof(content) ||
		    (size && !source_read(content, size)))
			return false;
		if (type == wanted)
			return true;
	}
	return false;
}

/* All of the good stream behind its MACHINE, but for its GO. */
static bool source_play(void)
{
	size_t size = good.size - opening_size - FRAME_HEADER_SIZE;

	return send(source, good.data + opening_size, size, MSG_NOSIGNAL) == (ssize_t)size && source_await(FRAME_READY);
}

/* The target, with its source in a thread; `prepare`, if it is there, comes before both. */
static int run(void (*prepare)(void), void *(*play)(void *))
{
	struct console console = { .in = -1, .out = -1 };
	struct frame_hello hello;
	struct machine machine;
	struct channel channel;
	struct target target;
	pthread_t thread;
	int result;

	assert_int_equal(send(source, good.data, opening_size, MSG_NOSIGNAL), opening_size);
	incoming_serve(&incoming);
	assert_true(incoming_take(&incoming, &channel, &hello));
	id = hello.id;
	target_open(&target, &channel, &hello, &incoming);
	assert_int_equal(target_create(&target, &machine, NULL, &console, &error), 0);
	if (prepare)
		prepare();
	pthread_create(&thread, NULL, play, NULL);
	result = target_run(&target, &error);
	if (result)
		incoming_give_up(&incoming, &channel, &error);
	channel_close(&channel);
	incoming_close(&incoming);
	pthread_join(thread, NULL);
	if (!result)
		assert_true(fake_vcpu_wait_inside(&machine.vcpus.vcpu[0].host, true));
	machine_destroy(&machine);
	assert_int_equal(fake_host_entries(fake_host_current()) != entries, !result);
	return result;
}

/* ---- GO ---- */

static void *go_in_time(void *ignored)
{
	(void)ignored;
	if (source_play()) {
		fake_time_advance(9999 * MS);
		source_send(FRAME_GO);
		source_await(FRAME_DONE);
	}
	return NULL;
}

static void test_go_in_time(void **state)
{
	(void)state;
	if (run(NULL, go_in_time))
		fail_msg("%s", error.text);
}

static void *go_too_late(void *ignored)
{
	(void)ignored;
	if (source_play()) {
		fake_time_advance(10001 * MS);
		source_send(FRAME_GO);
		source_await(FRAME_ABORT);
	}
	return NULL;
}

/* It was held up while its time passed: GO lies there, and the source may have given up long ago. */
static void test_go_too_late(void **state)
{
	(void)state;
	assert_int_equal(run(NULL, go_too_late), -ETIMEDOUT);
	assert_string_equal(error.text, "the other side took more than 10 s while the guest was stopped");
}

/* So many questions about a migration, on a connection of their own. */
static void ask(struct channel *channel, const struct frame_id *about, uint32_t questions)
{
	struct buffer content = { 0 }, all = { 0 };
	uint8_t header[FRAME_HEADER_SIZE];
	struct error ignored;

	*channel = (struct channel){ .transport = { .fd = -1 } };
	frame_put_question(&content, about);
	frame_put_header(header, FRAME_QUESTION, (uint32_t)content.size);
	for (uint32_t n = 0; n < questions; n++) {
		buffer_put(&all, header, sizeof(header));
		buffer_put(&all, content.data, content.size);
	}
	if (!channel_connect(channel, address, 1000, &terms, NULL, &ignored))
		send(channel->transport.fd, all.data, all.size, MSG_NOSIGNAL | MSG_DONTWAIT);
	buffer_free(&content);
	buffer_free(&all);
}

#define FLOODS 24
#define QUESTIONS 200

static void *go_after_flood(void *ignored)
{
	const struct frame_id unknown = { { 77 } };
	struct channel strangers[FLOODS];

	(void)ignored;
	if (!source_play())
		return NULL;
	for (rounds = 0; rounds < FLOODS; rounds++) {
		ask(&strangers[rounds], &unknown, QUESTIONS);
		fake_time_advance(500 * MS);
	}
	source_send(FRAME_GO);
	source_await(FRAME_ABORT);
	for (uint32_t n = 0; n < FLOODS; n++)
		channel_close(&strangers[n]);
	return NULL;
}

static void test_flood(void **state)
{
	(void)state;
	assert_int_equal(run(NULL, go_after_flood), -ETIMEDOUT);
	assert_string_equal(error.text, "the other side took more than 10 s while the guest was stopped");
}

/* ---- Until READY ---- */

#define HASTE 200
#define HASTE_STEP_NS 100000u
/*
 * Each frame takes a reading of the clock or more. The target looks after each CHANNEL_GLANCE_NS: once for the
 * stranger's connection, once for its question, and once is spare. It has not had to wait for its source by then, as it
 * does after some 280 answers, and would look up anyway.
 */
#define HASTE_ROUNDS_MAX (3 * CHANNEL_GLANCE_NS / HASTE_STEP_NS)

/* As many frames as there is room for. */
static uint32_t send_in_haste(void)
{
	uint8_t frames[HASTE][FRAME_HEADER_SIZE];
	uint32_t sent = 0;

	for (uint32_t n = 0; n < HASTE; n++)
		frame_put_header(frames[n], FRAME_SYNC, 0);
	while (send(source, frames, sizeof(frames), MSG_NOSIGNAL | MSG_DONTWAIT) == sizeof(frames))
		sent += HASTE;
	return sent;
}

static struct channel stranger;
static uint32_t hasty; /* frames */

/* Time passes by the target's own readings of the clock, however fast this machine is. */
static void prepare_haste(void)
{
	fake_time_set_step(HASTE_STEP_NS);
	ask(&stranger, &id, 1);
	hasty = send_in_haste();
}

/* The answers are taken as quickly, so that the target need not wait for that either. */
static void *read_in_haste(void *ignored)
{
	static uint8_t answers[65536];
	ssize_t got;

	(void)ignored;
	while ((got = recv(source, answers, sizeof(answers), 0)) > 0)
		rounds += (uint32_t)got / FRAME_HEADER_SIZE;
	channel_close(&stranger);
	return NULL;
}

/* A source whose next frame is always there does not keep everybody else waiting. */
static void test_haste(void **state)
{
	(void)state;
	assert_int_equal(run(prepare_haste, read_in_haste), -ECONNABORTED);
	assert_string_equal(error.text, "the other side gave the migration up and asked what became of it");
	assert_in_range(hasty, 10 * HASTE_ROUNDS_MAX, UINT32_MAX);
	assert_in_range(rounds, 1, HASTE_ROUNDS_MAX);
}

#define ROUNDS_MAX 40

static void *send_little(void *ignored)
{
	(void)ignored;
	while (rounds < ROUNDS_MAX && source_send(FRAME_SYNC) && source_await(FRAME_SYNCED)) {
		rounds++;
		fake_time_advance(25 * S);
	}
	source_await(FRAME_ABORT);
	return NULL;
}

/* A sign of life now and then does not hold a receiver. */
static void test_hog(void **state)
{
	(void)state;
	assert_int_equal(run(NULL, send_little), -ETIMEDOUT);
	assert_string_equal(error.text, "after 60 s too little of recorded has come: a receiver waits 60 s, and longer "
					"only for a source that sends at least 64 KiB/s");
	assert_in_range(rounds, 2, 3);
}

static bool send_page(uint32_t n)
{
	static uint8_t frame[FRAME_HEADER_SIZE + sizeof(uint64_t) + MEMORY_PAGE_SIZE];
	uint64_t gpa = LAYOUT_RAM_BASE + n % 1000 * MEMORY_PAGE_SIZE; /* little-endian, as everything here is run */

	frame_put_header(frame, FRAME_PAGES, sizeof(frame) - FRAME_HEADER_SIZE);
	memcpy(frame + FRAME_HEADER_SIZE, &gpa, sizeof(gpa));
	return send(source, frame, sizeof(frame), MSG_NOSIGNAL) == sizeof(frame);
}

#define PAGES 3000

static void *send_slowly(void *ignored)
{
	(void)ignored;
	for (rounds = 0; rounds < PAGES && send_page(rounds); rounds++)
		fake_time_advance(60 * MS);
	source_script_stop_at(&good, host_counter_ns());
	if (rounds == PAGES && source_play()) {
		source_send(FRAME_GO);
		source_await(FRAME_DONE);
	}
	return NULL;
}

/* 64 KiB a second for three minutes. */
static void test_slow(void **state)
{
	(void)state;
	if (run(NULL, send_slowly))
		fail_msg("after %u pages: %s", rounds, error.text);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(test_go_in_time), TEST(test_go_too_late), TEST(test_flood),
		TEST(test_haste),      TEST(test_hog),	       TEST(test_slow),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
