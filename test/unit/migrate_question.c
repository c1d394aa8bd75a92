/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The question what became of a migration: who is asked again, for how long, and that a peer that answers slowly cannot
 * make it last.
 *
 * Policy: a listener in a thread says what a test has written for it, a line for each connection.
 */
#include "unit.h"
#include "../fake/host_fake.h"
#include "../fake/port.h"

#include "migrate/question.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define LIMIT_S 30
#define ANSWERS_MAX 4
#define SILENCE 0 /* it closes without a word */
#define DRIP 99	  /* one byte after the other, each after a second, and never the last */

static struct handover_limits limits;
static struct channel_terms terms;
static char address[PORT_TEXT_SIZE];
static int listener = -1;
static pthread_t thread;
static int answers[ANSWERS_MAX];
static uint32_t asked;

static int set_up(void **state)
{
	(void)state;
	alarm(LIMIT_S);
	fake_reset();
	limits = handover_limits;
	limits.retry_ms = 1;
	listener = port_reserve(address);
	asked = 0;
	return listener < 0 ? -1 : listen(listener, 8);
}

static int tear_down(void **state)
{
	(void)state;
	close(listener);
	alarm(0);
	return 0;
}

static void say_slowly(int fd)
{
	uint8_t bytes[FRAME_HEADER_SIZE + FRAME_CALL_MAX - 1] = { FRAME_ABORT, 0, 0, 0, 0, 1 };

	for (size_t n = 0; n < sizeof(bytes) && send(fd, &bytes[n], 1, MSG_NOSIGNAL) == 1; n++) {
		fake_time_advance(1000000000);
		usleep(1000);
	}
}

static void say(int fd, enum frame_answer answer)
{
	struct buffer content = { 0 };
	uint8_t header[FRAME_HEADER_SIZE];

	frame_put_answer(&content, answer);
	frame_put_header(header, FRAME_ANSWER, (uint32_t)content.size);
	send(fd, header, sizeof(header), MSG_NOSIGNAL);
	send(fd, content.data, content.size, MSG_NOSIGNAL);
	buffer_free(&content);
}

/* Until its listener is shut down. The last answer is said again and again. */
static void *answer_thread(void *ignored)
{
	int fd;

	while ((fd = accept(listener, NULL, NULL)) >= 0) {
		uint8_t question[FRAME_HEADER_SIZE + 28];
		uint32_t n = asked < ANSWERS_MAX ? asked : ANSWERS_MAX - 1;

		asked++;
		recv(fd, question, sizeof(question), MSG_WAITALL);
		if (answers[n] == DRIP)
			say_slowly(fd);
		else if (answers[n] != SILENCE)
			say(fd, (enum frame_answer)answers[n]);
		close(fd);
	}
	return ignored;
}

static int ask(const int script[ANSWERS_MAX], int patience_ms, enum frame_answer *answer, struct error *error)
{
	const struct frame_id id = { { 1 } };
	struct channel channel;
	int result;

	memcpy(answers, script, sizeof(answers));
	pthread_create(&thread, NULL, answer_thread, NULL);
	result = question_ask(&channel, address, &terms, &id, &limits, patience_ms, answer, error);
	if (!result)
		channel_close(&channel);
	shutdown(listener, SHUT_RDWR);
	pthread_join(thread, NULL);
	return result;
}

/* Another receiver at the same address, one that breaks, and then the target itself. */
static void test_asks_again(void **state)
{
	static const int script[] = { FRAME_ANSWER_UNKNOWN, SILENCE, FRAME_ANSWER_UNKNOWN, FRAME_ANSWER_NEVER };
	enum frame_answer answer;
	struct error error;

	(void)state;
	assert_int_equal(ask(script, 30000, &answer, &error), 0);
	assert_int_equal(answer, FRAME_ANSWER_NEVER);
	assert_int_equal(asked, 4);
}

/* At least once, if the patience is over before it begins. */
static void test_asks_once(void **state)
{
	static const int script[] = { FRAME_ANSWER_RUNNING, SILENCE, SILENCE, SILENCE };
	enum frame_answer answer;
	struct error error;

	(void)state;
	assert_int_equal(ask(script, 0, &answer, &error), 0);
	assert_int_equal(answer, FRAME_ANSWER_RUNNING);
	assert_int_equal(asked, 1);
}

/* Nobody knows it: only then, when the target cannot take GO any more, the source is undecided. */
static void test_unknown_at_last(void **state)
{
	static const int script[] = { FRAME_ANSWER_UNKNOWN, FRAME_ANSWER_UNKNOWN, FRAME_ANSWER_UNKNOWN,
				      FRAME_ANSWER_UNKNOWN };
	enum frame_answer answer;
	struct error error;
	uint64_t began = fake_time();

	(void)state;
	fake_time_set_step(200000000);
	/* The last of them may not have had the time for an answer. */
	assert_true(ask(script, limits.question_ms, &answer, &error) || answer == FRAME_ANSWER_UNKNOWN);
	assert_true(fake_time() - began >= 30000000000ull);
	assert_true(asked > 1);
}

/* That this is longer than a target takes GO is what `resume --force` relies on; with room for a target that is held
 * up. */
static void test_limits(void **state)
{
	(void)state;
	assert_true(handover_limits.question_ms >= 2 * handover_limits.stopped_ms);
}

/* One limit for all of a question: connecting, asking, and each byte of the answer. */
static void test_drip(void **state)
{
	static const int script[] = { DRIP, DRIP, DRIP, DRIP };
	enum frame_answer answer;
	struct error error;
	uint64_t began = fake_time();

	(void)state;
	assert_int_equal(ask(script, 0, &answer, &error), -ETIMEDOUT);
	assert_in_range(fake_time() - began, 10000000000ull, 15000000000ull);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(test_asks_again), TEST(test_asks_once), TEST(test_unknown_at_last),
		TEST(test_limits),     TEST(test_drip),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
