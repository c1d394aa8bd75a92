/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the unit of a machine runs, as a service manager starts it: it is run from its description, restored, or
 * received, and the manager is told once it is there.
 */
#include "fixture/node.h"
#include "../fake/port.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define GUEST "guest"
#define SOCKET_PASSED 3

static struct node altra, grace;
static int listener, manager;
static const char *sockets; /* how many, as the manager says */
static char saved[PROCESS_PATH_SIZE];

static void description_write(void)
{
	char text[1024];

	assert_int_equal(setenv("SEACLOCK_CONFIG_DIR", process_path("configured"), 1), 0);
	assert_int_equal(mkdir(process_path("configured"), 0700), 0);
	assert_int_equal(mkdir(process_path("configured/machines"), 0700), 0);
	snprintf(text, sizeof(text), "{\"kernel\": \"%s\", \"memory_mib\": 64, \"command_line\": \"guest=reference\"}",
		 node_kernel());
	process_write(process_path("configured/machines/guest.json"), text, strlen(text));
}

/* The manager's listening socket, whose address is grace's. */
static void listener_open(void)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t size = sizeof(address);

	listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(listener, (struct sockaddr *)&address, size), 0);
	assert_int_equal(listen(listener, 4), 0);
	assert_int_equal(getsockname(listener, (struct sockaddr *)&address, &size), 0);
	snprintf(grace.address, sizeof(grace.address), "127.0.0.1:%u", ntohs(address.sin_port));
}

static int set_up(void **state)
{
	int result = process_set_up(state);

	node_make(&altra, "altra", "hz=25000000");
	node_make(&grace, "grace", "hz=25000000,counter=77");
	description_write();
	manager = process_manager();
	listener_open();
	sockets = "1";
	snprintf(saved, sizeof(saved), "%s", process_path("guest.save"));
	return result;
}

static int tear_down(void **state)
{
	close(listener);
	close(manager);
	unsetenv("SEACLOCK_CONFIG_DIR");
	unsetenv("NOTIFY_SOCKET");
	return process_tear_down(state);
}

/* In the child: as systemd passes a socket on. */
static void pass_on(void)
{
	char self[16];

	snprintf(self, sizeof(self), "%d", (int)getpid());
	if (dup2(listener, SOCKET_PASSED) < 0 || setenv("LISTEN_PID", self, 1) || setenv("LISTEN_FDS", sockets, 1))
		_exit(1);
}

static struct process *service_of(const char *name, bool with_socket)
{
	const struct process_options options = { .prepare = with_socket ? pass_on : NULL };

	return node_start_with(&grace, options, "service", name, "--saved", saved, "--console",
			       node_path(&grace, "guest.console"), NULL);
}

static struct process *service(bool with_socket)
{
	return service_of(GUEST, with_socket);
}

static void expect_told(void)
{
	struct pollfd item = { .fd = manager, .events = POLLIN };
	char text[32] = "";

	assert_int_equal(poll(&item, 1, process_limit_ms()), 1);
	assert_true(recv(manager, text, sizeof(text) - 1, 0) > 0);
	assert_string_equal(text, "READY=1");
}

static void expect_stops(struct process *process)
{
	assert_int_equal(node_command(&grace, "stop", GUEST, NULL), 0);
	assert_int_equal(process_wait(process), 6);
}

/* It has come by this way, and by no other. */
static void expect_way(const struct process *process, bool received, bool restored)
{
	assert_int_equal(process_count(process->errors, "waiting for a machine on "), received);
	assert_int_equal(process_count(process->errors, "saved at 25000000 Hz"), restored);
}

static void test_runs(void **state)
{
	struct process *process = service(false);

	(void)state;
	expect_told();
	assert_true(node_state_is(&grace, GUEST, "running"));
	expect_way(process, false, false);
	expect_stops(process);
}

/* A socket that nobody has called is no reason to wait for a machine, */
static void test_runs_beside_a_socket(void **state)
{
	struct process *process = service(true);

	(void)state;
	expect_told();
	node_runs_on(&grace, GUEST);
	expect_way(process, false, false);
	expect_stops(process);
}

/* A machine of altra's is on its way to grace, where its source has called. */
static struct process *send_guest(struct process **monitor)
{
	struct pollfd called = { .fd = listener, .events = POLLIN };
	struct process *migrate;

	*monitor = node_run(&altra, GUEST, "guest=reference");
	node_runs_on(&altra, GUEST);
	migrate = node_start(&altra, "migrate", GUEST, grace.address, "--max-step", "100000", NULL);
	assert_int_equal(poll(&called, 1, process_limit_ms()), 1);
	return migrate;
}

/* and one that somebody has called is no reason to run it. */
static void test_receives(void **state)
{
	struct process *monitor, *migrate = send_guest(&monitor), *process = service(true);

	(void)state;
	expect_told();
	assert_int_equal(process_wait(migrate), 0);
	assert_int_equal(process_wait(monitor), NODE_MOVED);
	node_runs_on(&grace, GUEST);
	expect_way(process, true, false);
	expect_stops(process);
}

/* A source that may send one machine does not become another one's by the port that it calls. */
static void test_other_name(void **state)
{
	struct process *monitor, *migrate = send_guest(&monitor), *process = service_of("other", true);

	(void)state;
	node_expect_refused(&altra, node_finish(&altra, migrate),
			    "only a machine named other is taken here, and this is guest");
	assert_int_equal(process_wait(process), 0);
	node_runs_on(&altra, GUEST);
	assert_int_equal(node_command(&altra, "stop", GUEST, NULL), 0);
	assert_int_equal(process_wait(monitor), 6);
}

static int stranger_call(void)
{
	struct sockaddr_in address;
	socklen_t size = sizeof(address);
	int stranger = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(getsockname(listener, (struct sockaddr *)&address, &size), 0);
	assert_int_equal(connect(stranger, (struct sockaddr *)&address, size), 0);
	return stranger;
}

/* Nor does one who stays, and never says what he wants, keep the unit from ending. */
static void test_stranger_stays(void **state)
{
	struct process *process;
	int stranger = stranger_call();

	(void)state;
	node_make(&grace, "grace", "hz=25000000,counter=77,unknown_ms=200");
	process = service(true);
	expect_told();
	assert_int_equal(process_wait(process), 0);
	assert_int_equal(process_count(process->errors, "nobody who may send a machine has called"), 1);
	close(stranger);
}

/* Somebody calls, and sends nothing: the machine is not run. */
static void test_stranger(void **state)
{
	struct process *process;

	(void)state;
	close(stranger_call());
	process = service(true);
	expect_told();
	assert_int_equal(process_wait(process), 0);
	expect_way(process, true, false);
}

/* Whoever calls: the machine is here. */
static void test_restores(void **state)
{
	struct process *monitor, *process;
	int stranger = stranger_call();

	(void)state;
	monitor = node_run(&altra, GUEST, "guest=reference");
	node_runs_on(&altra, GUEST);
	assert_int_equal(node_command(&altra, "save", GUEST, saved, NULL), 0);
	assert_int_equal(process_wait(monitor), 7);
	process = service(true);
	expect_told();
	node_runs_on(&grace, GUEST);
	expect_way(process, false, true);
	expect_stops(process);
	close(stranger);
}

static void test_refuses(void **state)
{
	struct process *process;

	(void)state;
	sockets = "many";
	process = service(true);
	node_expect_refused(&grace, node_finish(&grace, process), "LISTEN_FDS is `many`");
	sockets = "1";
	assert_int_equal(remove(process_path("configured/machines/guest.json")), 0);
	node_expect_refused(&grace, node_finish(&grace, service(false)), "/configured/machines/guest.json");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(test_runs),       TEST(test_runs_beside_a_socket),
		TEST(test_receives),   TEST(test_stranger),
		TEST(test_restores),   TEST(test_refuses),
		TEST(test_other_name), TEST(test_stranger_stays),
	};

	return process_run_tests(tests, ARRAY_SIZE(tests));
}
