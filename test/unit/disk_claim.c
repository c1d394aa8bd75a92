/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The claim to a file, whose file system answers when the test lets it: waits end, and what comes later is put right.
 */
#include "unit.h"
#include "../wait_scale.h"

#include "dev/disk/claim.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define LIMIT_S 60
#define LONG_MS 60000
#define SHORT_MS 30

static char path[] = "/tmp/seaclock-claim-XXXXXX";
static int file, other;
static struct claim *claim;

/* ---- The file system ---- */

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static bool answers;
static unsigned int calls, answered;

static int slow_call(int fd, int command, struct flock *lock)
{
	int err;

	pthread_mutex_lock(&mutex);
	calls++;
	while (!answers)
		pthread_cond_wait(&changed, &mutex);
	err = claim_call(fd, command, lock);
	answered++;
	pthread_mutex_unlock(&mutex);
	return err;
}

static void set_answers(bool does)
{
	pthread_mutex_lock(&mutex);
	answers = does;
	pthread_cond_broadcast(&changed);
	pthread_mutex_unlock(&mutex);
}

static unsigned int count(const unsigned int *of)
{
	unsigned int value;

	pthread_mutex_lock(&mutex);
	value = *of;
	pthread_mutex_unlock(&mutex);
	return value;
}

/* Whether another process could lock the file; keeps nothing. */
static bool is_free(void)
{
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };

	assert_int_equal(fcntl(other, F_OFD_GETLK, &lock), 0);
	return lock.l_type == F_UNLCK;
}

static void wait_free(void)
{
	while (!is_free())
		usleep(1000);
}

static void other_sets(short type)
{
	struct flock lock = { .l_type = type, .l_whence = SEEK_SET };

	assert_int_equal(fcntl(other, F_OFD_SETLK, &lock), 0);
}

static int set_up(void **state)
{
	(void)state;
	alarm(wait_scaled(LIMIT_S));
	file = open(path, O_RDWR | O_CLOEXEC);
	other = open(path, O_RDWR | O_CLOEXEC);
	set_answers(true);
	calls = answered = 0;
	return file < 0 || other < 0 || claim_create(&claim, file, F_WRLCK, slow_call);
}

static int tear_down(void **state)
{
	(void)state;
	set_answers(true);
	close(file);
	claim_close(claim);
	/* It is given back with the last descriptor. */
	wait_free();
	close(other);
	alarm(0);
	return 0;
}

/* ---- Tests ---- */

static void test_at_once(void **state)
{
	bool locked;

	(void)state;
	assert_int_equal(claim_take(claim, LONG_MS), 0);
	assert_false(is_free());
	assert_int_equal(claim_take(claim, LONG_MS), 0);
	assert_int_equal(count(&calls), 1);
	assert_int_equal(claim_look(claim, &locked, LONG_MS), 0);
	assert_false(locked);
	assert_int_equal(claim_drop(claim, LONG_MS), 0);
	assert_true(is_free());
	assert_int_equal(claim_drop(claim, LONG_MS), 0);
	assert_int_equal(count(&calls), 3);
	other_sets(F_WRLCK);
	assert_int_equal(claim_look(claim, &locked, LONG_MS), 0);
	assert_true(locked);
	assert_int_equal(claim_take(claim, LONG_MS), -EAGAIN);
	other_sets(F_UNLCK);
	/* Nothing is left that would take it now. */
	assert_int_equal(count(&calls), 5);
	assert_int_equal(claim_take(claim, LONG_MS), 0);
}

/* A lock that comes when nobody waits any more is given back. */
static void test_late_lock(void **state)
{
	(void)state;
	set_answers(false);
	assert_int_equal(claim_take(claim, SHORT_MS), -ETIMEDOUT);
	assert_true(is_free());
	set_answers(true);
	while (count(&answered) < 2)
		usleep(1000);
	assert_true(is_free());
}

/* Asked for again meanwhile, it is not. */
static void *answer_later(void *context)
{
	usleep(SHORT_MS * 1000);
	set_answers(true);
	return context;
}

static void test_late_lock_is_wanted(void **state)
{
	pthread_t thread;

	(void)state;
	set_answers(false);
	assert_int_equal(claim_take(claim, SHORT_MS), -ETIMEDOUT);
	assert_int_equal(pthread_create(&thread, NULL, answer_later, NULL), 0);
	assert_int_equal(claim_take(claim, LONG_MS), 0);
	pthread_join(thread, NULL);
	assert_false(is_free());
	assert_int_equal(claim_drop(claim, LONG_MS), 0);
	assert_true(is_free());
}

/* Until it could be given back it is ours, and nobody else takes it for his. */
static void test_late_unlock(void **state)
{
	(void)state;
	assert_int_equal(claim_take(claim, LONG_MS), 0);
	set_answers(false);
	assert_int_equal(claim_drop(claim, SHORT_MS), -ETIMEDOUT);
	assert_false(is_free());
	set_answers(true);
	wait_free();
}

static void test_late_unlock_is_taken_back(void **state)
{
	pthread_t thread;

	(void)state;
	assert_int_equal(claim_take(claim, LONG_MS), 0);
	set_answers(false);
	assert_int_equal(claim_drop(claim, SHORT_MS), -ETIMEDOUT);
	assert_int_equal(claim_take(claim, SHORT_MS), -ETIMEDOUT);
	assert_int_equal(pthread_create(&thread, NULL, answer_later, NULL), 0);
	assert_int_equal(claim_take(claim, LONG_MS), 0);
	pthread_join(thread, NULL);
	assert_false(is_free());
}

static void test_late_look(void **state)
{
	bool locked;

	(void)state;
	other_sets(F_WRLCK);
	set_answers(false);
	assert_int_equal(claim_look(claim, &locked, SHORT_MS), -ETIMEDOUT);
	set_answers(true);
	assert_int_equal(claim_look(claim, &locked, LONG_MS), 0);
	assert_true(locked);
	other_sets(F_UNLCK);
}

/* The file is closed while its file system is asked: the lock that comes then does not stay. */
static void test_closed(void **state)
{
	(void)state;
	set_answers(false);
	assert_int_equal(claim_take(claim, SHORT_MS), -ETIMEDOUT);
	claim_close(claim);
	set_answers(true);
	while (!count(&answered))
		usleep(1000);
	assert_int_equal(claim_create(&claim, other, F_WRLCK, claim_call), 0);
}

static void test_denied(void **state)
{
	struct claim *readable;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(claim_create(&readable, fd, F_WRLCK, claim_call), 0);
	assert_int_equal(claim_take(readable, LONG_MS), -EBADF);
	claim_close(readable);
	close(fd);
}

/* No host has memory for such a thread: that is not the lock of somebody else. */
static void test_no_thread(void **state)
{
	pthread_attr_t usual, impossible;

	(void)state;
	assert_int_equal(pthread_getattr_default_np(&usual), 0);
	assert_int_equal(pthread_attr_init(&impossible), 0);
	assert_int_equal(pthread_attr_setstacksize(&impossible, (size_t)1 << 60), 0);
	assert_int_equal(pthread_setattr_default_np(&impossible), 0);
	assert_int_equal(claim_take(claim, LONG_MS), -ENOMEM);
	assert_int_equal(pthread_setattr_default_np(&usual), 0);
	assert_true(is_free());
	assert_int_equal(claim_take(claim, LONG_MS), 0);
	pthread_attr_destroy(&usual);
	pthread_attr_destroy(&impossible);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_at_once),
		TEST(test_late_lock),
		TEST(test_late_lock_is_wanted),
		TEST(test_late_unlock),
		TEST(test_late_unlock_is_taken_back),
		TEST(test_late_look),
		TEST(test_closed),
		TEST(test_denied),
		TEST(test_no_thread),
	};
	int made = mkstemp(path), failed;

	if (made < 0)
		return 1;
	close(made);
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	unlink(path);
	return failed;
}
