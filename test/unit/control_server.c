/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The control socket: what may be asked, and what happens to whoever asks nonsense, asks slowly or goes away.
 *
 * Policy: one thread where that is possible: a request lies in the socket before it is served.
 */
#include "unit.h"
#include "folder_fixture.h"
#include "../fake/host_fake.h"
#include "../wait_scale.h"

#include "control/socket.h"
#include "control/server.h"
#include "machine/description.h"
#include "base/layout.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define LIMIT_S 60

static struct machine machine;
static struct console console;
static struct control control;
static struct error error;

static int set_up_machine(void **state)
{
	const struct machine_config config = {
		.name = "boat",
		.vcpus = 1,
		.memory_size = LAYOUT_RAM_MIN,
		.model = CONFIG_MODEL_NEW,
	};

	(void)state;
	alarm(wait_scaled(LIMIT_S));
	fake_reset();
	console = (struct console){ .in = -1, .out = -1 };
	if (machine_create(&machine, &config, &console, &error))
		return -1;
	return machine_resume(&machine, SC_CLOCK_FREEZE, false, &error);
}

static int tear_down_machine(void **state)
{
	(void)state;
	machine_destroy(&machine);
	alarm(0);
	return 0;
}

static int set_up(void **state)
{
	return set_up_machine(state) ? -1 : control_open(&control, &machine, false, &error);
}

static int tear_down(void **state)
{
	control_close(&control);
	return tear_down_machine(state);
}

static int client_open(void)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(connect(fd, (struct sockaddr *)&control.naming.name, sizeof(control.naming.name)), 0);
	return fd;
}

/* The answer to a request of raw bytes; NULL if there was none. */
static json_t *ask_raw(const void *request, size_t size)
{
	int fd = client_open();
	json_t *answer;

	assert_int_equal(send(fd, request, size, MSG_NOSIGNAL), size);
	control_serve(&control);
	answer = control_read_line(fd, (int)wait_scaled(5000));
	close(fd);
	return answer;
}

static json_t *ask(const char *request)
{
	char line[512];

	snprintf(line, sizeof(line), "%s\n", request);
	return ask_raw(line, strlen(line));
}

static void expect_ok(const char *request)
{
	json_t *answer = ask(request);

	assert_non_null(json_object_get(answer, "ok"));
	assert_null(json_object_get(answer, "error"));
	json_decref(answer);
}

static void expect_error(const char *request, const char *code, const char *sentence)
{
	json_t *answer = ask(request);

	assert_string_equal(json_string_value(json_object_get(answer, "error")), sentence);
	assert_string_equal(json_string_value(json_object_get(answer, "code")), code);
	json_decref(answer);
}

/* ---- Requests ---- */

static void test_status(void **state)
{
	json_t *answer = ask("{\"version\": 1, \"command\": \"status\"}"), *ok = json_object_get(answer, "ok");

	(void)state;
	assert_string_equal(json_string_value(json_object_get(ok, "name")), "boat");
	assert_string_equal(json_string_value(json_object_get(ok, "state")), "running");
	assert_string_equal(json_string_value(json_object_get(ok, "level")), "none");
	assert_int_equal(json_integer_value(json_object_get(ok, "vcpus")), 1);
	assert_int_equal(json_integer_value(json_object_get(ok, "memory_mib")), LAYOUT_RAM_MIN >> 20);
	assert_int_equal(json_integer_value(json_object_get(ok, "counter_hz")), 100000000);
	assert_int_equal(json_integer_value(json_object_get(ok, "pid")), getpid());
	assert_true(json_is_false(json_object_get(ok, "on_page")));
	assert_true(json_is_false(json_object_get(ok, "inferred")));
	assert_string_equal(json_string_value(json_object_get(ok, "level_reason")), "it is not on the reference clock");
	assert_true(json_is_integer(json_object_get(ok, "reference_time")));
	assert_int_equal(json_array_size(json_object_get(ok, "late_timers")), 0);
	json_decref(answer);
}

static void fill(char *text, size_t size)
{
	memset(text, '"', size - 1);
	text[0] = '/';
}

/* The largest description, of which JSON doubles nearly each character, is answered whole. */
static void test_status_describes(void **state)
{
	struct machine_config *config = &machine.config;
	struct machine_config same;
	json_t *answer;
	char *text;

	(void)state;
	fill(config->kernel, sizeof(config->kernel));
	fill(config->initrd, sizeof(config->initrd));
	fill(config->command_line, sizeof(config->command_line));
	config->disks = CONFIG_DISKS_MAX;
	for (uint32_t n = 0; n < CONFIG_DISKS_MAX; n++) {
		fill(config->disk[n].where, sizeof(config->disk[n].where));
		config->disk[n].where[1] = (char)('0' + n);
	}
	answer = ask("{\"version\": 1, \"command\": \"status\"}");
	text = json_dumps(json_object_get(json_object_get(answer, "ok"), "machine"), 0);
	assert_non_null(text);
	config_init(&same);
	strcpy(same.name, config->name);
	assert_int_equal(description_parse(text, strlen(text), &same, &error), 0);
	assert_string_equal(same.command_line, config->command_line);
	assert_string_equal(same.disk[CONFIG_DISKS_MAX - 1].where, config->disk[CONFIG_DISKS_MAX - 1].where);
	assert_true(same.memory_size == config->memory_size);
	free(text);
	json_decref(answer);
}

static void test_pause_resume_stop(void **state)
{
	(void)state;
	expect_ok("{\"version\": 1, \"command\": \"pause\"}");
	assert_int_equal(machine_get_state(&machine), MACHINE_PAUSED);
	expect_ok("{\"version\": 1, \"command\": \"resume\"}");
	assert_int_equal(machine_get_state(&machine), MACHINE_RUNNING);
	machine_begin_migration(&machine, &error);
	expect_error("{\"version\": 1, \"command\": \"stop\"}", "busy", "boat is migrating: it cannot be stopped now");
	machine_end_migration(&machine, MACHINE_RUNNING);
	expect_ok("{\"version\": 1, \"command\": \"stop\"}");
	assert_int_equal(machine_get_end(&machine), MACHINE_END_STOPPED);
}

/* Pauses by one request, lets 10 s pass, resumes by the other: the seconds that the guest's clock counted. */
static uint64_t seconds_counted(const char *pause, const char *resume)
{
	uint64_t before;

	expect_ok(pause);
	before = clock_reference(&machine.clock).v;
	fake_time_advance(10000000000u);
	expect_ok(resume);
	assert_int_equal(machine_get_state(&machine), MACHINE_RUNNING);
	return (clock_reference(&machine.clock).v - before + SC_REF_HZ / 2) / SC_REF_HZ;
}

#define PAUSE(clock) "{\"version\": 1, \"command\": \"pause\"" clock "}"
#define RESUME(clock) "{\"version\": 1, \"command\": \"resume\"" clock "}"
#define ADVANCE ", \"clock\": \"advance\""
#define FREEZE ", \"clock\": \"freeze\""

/* What resume says counts; else what pause said, once; else freeze. */
static void test_policy(void **state)
{
	(void)state;
	assert_int_equal(seconds_counted(PAUSE(), RESUME()), 0);
	assert_int_equal(seconds_counted(PAUSE(), RESUME(ADVANCE)), 10);
	assert_int_equal(seconds_counted(PAUSE(ADVANCE), RESUME()), 10);
	assert_int_equal(seconds_counted(PAUSE(), RESUME()), 0);
	assert_int_equal(seconds_counted(PAUSE(ADVANCE), RESUME(FREEZE)), 0);
	assert_int_equal(seconds_counted(PAUSE(FREEZE), RESUME(ADVANCE)), 10);
	expect_ok(PAUSE(ADVANCE));
	assert_int_equal(seconds_counted(PAUSE(), RESUME()), 10);
}

static void test_policy_unknown(void **state)
{
	static const char sentence[] = "`stop` is no policy of the clock: it can advance or freeze";

	(void)state;
	expect_error(PAUSE(", \"clock\": \"stop\""), "invalid", sentence);
	assert_int_equal(machine_get_state(&machine), MACHINE_RUNNING);
	expect_ok(PAUSE());
	expect_error(RESUME(", \"clock\": \"stop\""), "invalid", sentence);
	assert_int_equal(machine_get_state(&machine), MACHINE_PAUSED);
}

static void test_unknown(void **state)
{
	(void)state;
	expect_error("{\"version\": 1, \"command\": \"sink\"}", "invalid",
		     "the monitor does not know the command `sink`");
	expect_error("[]", "invalid", "a request is a JSON object");
	expect_error("{\"version\": 1}", "invalid", "a request has a \"command\", which takes a text");
	expect_error("{\"version\": 1, \"command\": 7}", "invalid", "a request has a \"command\", which takes a text");
	expect_error("{\"version\": 1, \"command\": \"migrate\"}", "invalid",
		     "a migration needs a host, in fewer than 256 characters");
}

/* The sentence cuts the name in the middle of a character, which JSON cannot hold: it is answered all the same. */
static void test_unknown_long(void **state)
{
	static const char head[] = "the monitor does not know the command `x";
	char name[2 * 60 + 1], request[512], want[512];

	(void)state;
	for (int n = 0; n < 60; n++)
		memcpy(name + 2 * n, "\xc3\xa4", 3);
	snprintf(request, sizeof(request), "{\"version\": 1, \"command\": \"x%s\"}", name);
	memset(name, '?', 99); /* with the x, 100 bytes of it */
	snprintf(want, sizeof(want), "%s%.99s`", head, name);
	expect_error(request, "invalid", want);
}

static void expect_dropped(const void *request, size_t size)
{
	json_t *answer = ask_raw(request, size);

	assert_null(answer);
	/* And the next one is served. */
	expect_ok("{\"version\": 1, \"command\": \"status\"}");
}

static void test_garbage(void **state)
{
	static const char two[] = "{\"version\": 1, \"command\": \"status\"} {}\n";
	static const char zero[] = "{\"version\": 1, \"command\": \"\\u0000\"}\n";
	static const char garbage[] = "\x16\x03\x01\x02\x00\x01\n";
	char longest[CONTROL_LINE_MAX + 1];

	(void)state;
	expect_dropped("\n", 1);
	expect_dropped("{\n", 2);
	expect_dropped(two, sizeof(two) - 1);
	expect_dropped(garbage, sizeof(garbage) - 1);
	expect_dropped("\0\n", 2);
	expect_dropped(zero, sizeof(zero) - 1);
	memset(longest, ' ', sizeof(longest));
	expect_dropped(longest, sizeof(longest));
	memset(longest, '[', sizeof(longest));
	longest[CONTROL_LINE_MAX - 1] = '\n';
	expect_dropped(longest, CONTROL_LINE_MAX);
}

/* A client that goes away before its answer, or says nothing. */
static void test_gone(void **state)
{
	static const char request[] = "{\"version\": 1, \"command\": \"pause\"}\n";
	int fd = client_open();

	(void)state;
	assert_int_equal(send(fd, request, sizeof(request) - 1, 0), sizeof(request) - 1);
	close(fd);
	control_serve(&control);
	assert_int_equal(machine_get_state(&machine), MACHINE_PAUSED);
	close(client_open());
	control_serve(&control);
	expect_ok("{\"version\": 1, \"command\": \"status\"}");
}

/* Those who say nothing cost nobody a wait; of too many the oldest is dropped, and half a request may become whole. */
static void test_silent(void **state)
{
	static const char half[] = "{\"version\": 1, \"command\": ";
	int fd[CONTROL_CLIENTS + 1];
	char byte;

	(void)state;
	for (uint32_t n = 0; n <= CONTROL_CLIENTS; n++) {
		fd[n] = client_open();
		assert_int_equal(send(fd[n], half, sizeof(half) - 1, MSG_NOSIGNAL), sizeof(half) - 1);
		control_serve(&control);
	}
	assert_int_equal(recv(fd[0], &byte, 1, MSG_DONTWAIT), 0);
	for (uint32_t n = 1; n <= CONTROL_CLIENTS; n++) {
		json_t *answer;

		assert_int_equal(recv(fd[n], &byte, 1, MSG_DONTWAIT), -1);
		assert_int_equal(send(fd[n], "\"status\"}\n", 10, MSG_NOSIGNAL), 10);
		control_serve(&control);
		answer = control_read_line(fd[n], 5000);
		assert_non_null(json_object_get(answer, "ok"));
		json_decref(answer);
		close(fd[n]);
	}
	close(fd[0]);
	expect_ok("{\"version\": 1, \"command\": \"status\"}");
}

/* ---- Migration ---- */

static void test_migrate_nowhere(void **state)
{
	json_t *answer = ask("{\"version\": 1, \"command\": \"migrate\", \"host\": \"127.0.0.1:1\"}");

	(void)state;
	assert_string_equal(json_string_value(json_object_get(answer, "error")),
			    "cannot connect to 127.0.0.1:1 (Connection refused): is `seaclock receive` running there?");
	json_decref(answer);
	assert_int_equal(machine_get_state(&machine), MACHINE_RUNNING);
	/* Again, and with another name. */
	expect_error("{\"version\": 1, \"command\": \"migrate\", \"host\": \":\"}", "invalid",
		     "`:` is not HOST, HOST:PORT or [ADDRESS]:PORT, with a port from 1 to 65535");
	assert_int_equal(machine_get_state(&machine), MACHINE_RUNNING);
	expect_ok("{\"version\": 1, \"command\": \"pause\"}");
	expect_error("{\"version\": 1, \"command\": \"migrate\", \"host\": \"127.0.0.1:1\"}", "busy",
		     "boat is paused: it cannot be migrated now");
}

static void test_migrate_numbers(void **state)
{
	(void)state;
	expect_error("{\"version\": 1, \"command\": \"migrate\", \"host\": \"h\", \"downtime_ms\": 0}", "invalid",
		     "\"downtime_ms\" takes a number from 1 to 10000");
	expect_error("{\"version\": 1, \"command\": \"migrate\", \"host\": \"h\", \"downtime_ms\": 10001}", "invalid",
		     "\"downtime_ms\" takes a number from 1 to 10000");
	expect_error("{\"version\": 1, \"command\": \"migrate\", \"host\": \"h\", \"max_step_us\": \"7\"}", "invalid",
		     "\"max_step_us\" takes a number from 1 to 1000000");
	expect_error("{\"version\": 1, \"command\": \"migrate\", \"host\": \"h\", \"clock\": \"stop\"}", "invalid",
		     "`stop` is no policy of the clock: it can advance or freeze");
	expect_error("{\"version\": 1, \"command\": \"migrate\", \"cancel\": true}", "not-migrating",
		     "boat is not being migrated");
	assert_int_equal(machine_get_state(&machine), MACHINE_RUNNING);
}

/* Keys: none, all but the list of what is revoked, or all; where TLS is to be, some. */
static void test_migrate_keys(void **state)
{
	static const char request[] = "{\"version\": 1, \"command\": \"migrate\", \"host\": \"127.0.0.1:1\"}\n";
	const char *sentence;
	json_t *answer;

	(void)state;
	for (uint32_t count = 0; count <= DESCRIPTORS_MAX; count++) {
		const struct descriptors passed = { .count = count };
		int fd = client_open();

		assert_int_equal(descriptors_send(fd, request, sizeof(request) - 1, &passed), sizeof(request) - 1);
		control_serve(&control);
		answer = control_read_line(fd, (int)wait_scaled(5000));
		close(fd);
		sentence = json_string_value(json_object_get(answer, "error"));
		if (count && count < KEY_FILE_CRL)
			assert_non_null(strstr(sentence, "are 3 files, or 4 with crl.pem, and not "));
		else
			assert_non_null(strstr(sentence, "cannot connect to 127.0.0.1:1 "));
		json_decref(answer);
	}
	expect_error("{\"version\": 1, \"command\": \"migrate\", \"host\": \"127.0.0.1:1\", \"tls\": \"/t\"}",
		     "invalid", "the keys that come with a request are 3 files, or 4 with crl.pem, and not 0");
	assert_int_equal(machine_get_state(&machine), MACHINE_RUNNING);
}

/* ---- The socket ---- */

struct racer {
	struct control control;
	pthread_barrier_t *start;
	int result;
};

static void *open_thread(void *argument)
{
	struct racer *racer = argument;
	struct error ignored;

	pthread_barrier_wait(racer->start);
	racer->result = control_open(&racer->control, &machine, false, &ignored);
	return NULL;
}

/* Several monitors find the socket of one that was killed: one of them gets the name, and keeps it. */
static void test_stale_race(void **state)
{
	enum {
		RACERS = 6
	};
	struct sockaddr_un address;

	(void)state;
	assert_int_equal(control_address("boat", &address, &error), 0);
	for (int round = 0; round < 500; round++) {
		int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), winners = 0;
		struct racer racers[RACERS];
		pthread_t threads[RACERS];
		pthread_barrier_t start;

		assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
		close(fd);
		pthread_barrier_init(&start, NULL, RACERS);
		for (int n = 0; n < RACERS; n++) {
			racers[n] = (struct racer){ .start = &start };
			pthread_create(&threads[n], NULL, open_thread, &racers[n]);
		}
		for (int n = 0; n < RACERS; n++) {
			pthread_join(threads[n], NULL);
			winners += !racers[n].result;
		}
		assert_int_equal(winners, 1);
		/* Those who lost leave it alone. */
		for (int n = 0; n < RACERS; n++)
			if (racers[n].result)
				control_close(&racers[n].control);
		assert_int_equal(access(address.sun_path, F_OK), 0);
		for (int n = 0; n < RACERS; n++)
			if (!racers[n].result)
				control_close(&racers[n].control);
		assert_int_equal(access(address.sun_path, F_OK), -1);
		pthread_barrier_destroy(&start);
	}
}

static void test_duplicate(void **state)
{
	struct control other;

	(void)state;
	assert_int_equal(control_open(&other, &machine, false, &error), -EEXIST);
	assert_string_equal(error.text, "a machine named boat is already running");
	control_close(&other);
	control_serve(&control); /* the other one's look whether anybody is there */
	expect_ok("{\"version\": 1, \"command\": \"status\"}");
}

/* Orders come from the owner only, also in a folder that was there before, and whatever the umask leaves. */
static void test_socket_mode(void **state)
{
	static const mode_t masks[] = { 0, 002, 022, 077 };
	struct stat facts;

	(void)state;
	for (size_t n = 0; n < sizeof(masks) / sizeof(masks[0]); n++) {
		mode_t before = umask(masks[n]);
		int result = control_open(&control, &machine, false, &error);

		umask(before);
		assert_int_equal(result, 0);
		assert_int_equal(stat(control.naming.name.sun_path, &facts), 0);
		assert_int_equal(facts.st_mode & 0777, 0600);
		control_close(&control);
	}
}

/* What a killed monitor leaves behind is taken over. */
static void test_stale(void **state)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct sockaddr_un address;

	assert_int_equal(control_address("boat", &address, &error), 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	close(fd);
	assert_int_equal(access(address.sun_path, F_OK), 0);
	assert_int_equal(set_up(state), 0);
	expect_ok("{\"version\": 1, \"command\": \"status\"}");
	tear_down(state);
	assert_int_equal(access(address.sun_path, F_OK), -1);
}

static void test_no_folder(void **state)
{
	(void)state;
	setenv("SEACLOCK_DIR", "/nonexistent/folder", 1);
	assert_int_equal(control_open(&control, &machine, false, &error), -ENOENT);
	assert_non_null(strstr(error.text, "cannot make the control folder /nonexistent/folder"));
	setenv("SEACLOCK_DIR", folder, 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
#define TEST_MACHINE(name) cmocka_unit_test_setup_teardown(name, set_up_machine, tear_down_machine)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(test_status),
		TEST(test_status_describes),

		TEST(test_policy),
		TEST(test_policy_unknown),
		TEST(test_pause_resume_stop),
		TEST(test_unknown),
		TEST(test_unknown_long),
		TEST(test_garbage),
		TEST(test_gone),
		TEST(test_silent),
		TEST(test_migrate_nowhere),
		TEST(test_migrate_numbers),
		TEST(test_migrate_keys),
		TEST_MACHINE(test_stale_race),
		TEST(test_duplicate),
		cmocka_unit_test(test_stale),
		TEST_MACHINE(test_socket_mode),
		TEST_MACHINE(test_no_folder),
	};

	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
