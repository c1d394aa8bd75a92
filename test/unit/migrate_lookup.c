/* SPDX-License-Identifier: BSD-2-Clause */
/* Names of hosts, with a resolver that answers when the test lets it: who asks waits no longer than he has to. */
#include "unit.h"
#include "../fake/host_fake.h"

#include "host/deadline.h"
#include "transfer/gate.h"
#include "migrate/lookup.h"

#include <errno.h>
#include <poll.h>
#include <semaphore.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LIMIT_S 60

static sem_t answers, answered;
static int freed;
static struct addrinfo *const address = (struct addrinfo *)&freed; /* nobody looks into it */
static const struct addrinfo hints = { .ai_socktype = SOCK_STREAM };
static struct error error;

/* In place of the C library's. */
int getaddrinfo(const char *host, const char *port, const struct addrinfo *asked, struct addrinfo **found)
{
	int result = strcmp(host, "nowhere") ? 0 : EAI_NONAME;

	assert_string_equal(port, "5999");
	assert_int_equal(asked->ai_socktype, SOCK_STREAM);
	sem_wait(&answers);
	if (!result)
		*found = address;
	sem_post(&answered);
	return result;
}

void freeaddrinfo(struct addrinfo *found)
{
	assert_ptr_equal(found, address);
	__atomic_add_fetch(&freed, 1, __ATOMIC_SEQ_CST);
}

static int set_up(void **state)
{
	(void)state;
	alarm(LIMIT_S);
	fake_reset();
	freed = 0;
	return sem_init(&answers, 0, 0) || sem_init(&answered, 0, 0);
}

static int look_up(const char *host, sc_ns_t deadline, const struct wait_watch *watch, struct addrinfo **found)
{
	return lookup_run(host, "5999", &hints, deadline, watch, found, &error);
}

/* The resolver answers at last, and what it found goes to nobody. */
static void expect_left_alone(void)
{
	sem_post(&answers);
	sem_wait(&answered);
	for (int n = 0; n < 5000 && !__atomic_load_n(&freed, __ATOMIC_SEQ_CST); n++)
		poll(NULL, 0, 1);
	assert_int_equal(freed, 1);
}

static void test_found(void **state)
{
	struct addrinfo *found = NULL;

	(void)state;
	sem_post(&answers);
	assert_int_equal(look_up("altra", deadline_after_ms(5000), NULL, &found), 0);
	assert_ptr_equal(found, address);
	assert_int_equal(freed, 0);
	sem_post(&answers);
	assert_int_equal(look_up("nowhere", deadline_after_ms(5000), NULL, &found), -EHOSTUNREACH);
	assert_non_null(strstr(error.text, "`nowhere` is no host that can be found"));
}

static void test_called_off(void **state)
{
	struct addrinfo *found;
	struct gate gate;
	struct wait_watch watch = { .fn = gate_on_cancel };

	(void)state;
	assert_int_equal(gate_open(&gate, &error), 0);
	watch.fd = gate.cancelled;
	assert_true(gate_cancel(&gate));
	assert_int_equal(look_up("altra", deadline_after_ms(60000), &watch, &found), -ECANCELED);
	gate_close(&gate);
	expect_left_alone();
}

static void test_late(void **state)
{
	struct addrinfo *found;

	(void)state;
	assert_int_equal(look_up("altra", deadline_after_ms(20), NULL, &found), -EHOSTUNREACH);
	assert_string_equal(error.text, "the addresses of `altra` could not be found in time");
	expect_left_alone();
}

#define TEST(name) cmocka_unit_test_setup(name, set_up)

int main(void)
{
	static const struct CMUnitTest tests[] = { TEST(test_found), TEST(test_called_off), TEST(test_late) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
