/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Both commands of a migration as an operator uses them, over TCP and control sockets, on two fake hosts in one
 * process: `receive` outlives whatever is no good, and both sides tell afterwards what became of a migration.
 */
#include "unit.h"
#include "folder_fixture.h"
#include "../fake/guest_call.h"
#include "../fake/port.h"
#include "../wait_scale.h"

#include "control/client.h"
#include "control/line.h"
#include "control/request.h"
#include "control/socket.h"
#include "migrate/channel.h"
#include "command/receive.h"
#include "command/serve.h"
#include "base/signals.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define LIMIT_S 60

static char address[PORT_TEXT_SIZE];
static int port;
static struct fake_host hosts[2];
static struct machine machine;
static struct channel_terms terms;
static struct console console = { .in = -1, .out = -1 };
static struct error error;

struct monitor {
	pthread_t thread;
	struct serve serve;
	struct receive_options receive;
	enum machine_end end;
	int result;
	struct error error;
};

static struct monitor source, target;

static int prepare(void **state)
{
	signals_prepare();
	return make_folder(state);
}

static void *receive_thread(void *argument)
{
	struct monitor *monitor = argument;

	fake_host_use(&hosts[1]);
	monitor->result = receive_run(&monitor->receive, &monitor->end, &monitor->error);
	return NULL;
}

static void *serve_thread(void *argument)
{
	struct monitor *monitor = argument;

	fake_host_use(&hosts[0]);
	monitor->end = serve_run(&monitor->serve);
	return NULL;
}

static void receiver_start(const char *name, const char *listen)
{
	target = (struct monitor){ .receive = { .name = name, .listen = listen } };
	pthread_create(&target.thread, NULL, receive_thread, &target);
}

/* The receiver calls the machine `name`, so that both are found in one folder. */
static void begin(const char *name)
{
	receiver_start(name, address);
	for (int n = 0; n < 5000; n++) {
		struct channel channel;

		if (!channel_connect(&channel, address, 1000, &terms, NULL, &error)) {
			channel_close(&channel);
			return;
		}
		usleep(1000);
	}
	fail_msg("nobody listens: %s", error.text);
}

static int set_up(void **state)
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
	hosts[0] = fake_host_make(25000000, 1000);
	hosts[1] = fake_host_make(100000000, 77777777);
	/* Threads that choose none work for the source. */
	*fake_host_current() = hosts[0];
	fake_host_use(&hosts[0]);
	port = port_reserve(address);
	fake_watch_exclusive(true);
	if (machine_create(&machine, &config, &console, &error) ||
	    machine_resume(&machine, SC_CLOCK_FREEZE, false, &error))
		return -1;
	guest_load_driver(&machine.vcpus.vcpu[0].host, LAYOUT_RAM_BASE + 9 * 4096);
	source = (struct monitor){ 0 };
	if (serve_open(&source.serve, &machine, false, &error))
		return -1;
	pthread_create(&source.thread, NULL, serve_thread, &source);
	return 0;
}

static void source_join(enum machine_end end)
{
	pthread_join(source.thread, NULL);
	assert_int_equal(source.end, end);
	serve_close(&source.serve);
}

static void target_join(enum machine_end end)
{
	pthread_join(target.thread, NULL);
	assert_int_equal(target.result, 0);
	assert_int_equal(target.end, end);
}

static int tear_down(void **state)
{
	(void)state;
	machine_destroy(&machine);
	close(port);
	fake_watch_exclusive(false);
	alarm(0);
	return 0;
}

/* Sends a request without fields, as its command would. */
static int order(const char *name, const char *command, struct error *why)
{
	json_t *answer = NULL;
	int result = client_ask(name, request_make(command), NULL, &answer, why);

	json_decref(answer);
	return result;
}

/* `flag` is a field that is true; NULL: none. */
static int migrate(const char *flag, struct error *why)
{
	json_t *request = request_make("migrate"), *answer = NULL;
	int result;

	request_set_text(request, "host", address);
	request_set_number(request, "max_step_us", 1000000);
	if (flag)
		request_set_flag(request, flag, true);
	result = client_ask("boat", request, NULL, &answer, why);
	json_decref(answer);
	return result;
}

static int status(const char *name)
{
	json_t *answer = NULL;
	int result = client_status(name, &answer, &error);

	json_decref(answer);
	return result;
}

/* Whatever a stranger sends: the receiver waits on. */
static void send_bytes(const char *bytes, size_t size)
{
	struct channel channel;

	assert_int_equal(channel_connect(&channel, address, 1000, &terms, NULL, &error), 0);
	assert_int_equal(send(channel.transport.fd, bytes, size, MSG_NOSIGNAL), size);
	channel_close(&channel);
}

/* The member of a machine's last migration; to be freed. */
static json_t *last_of(const char *name)
{
	struct sockaddr_un place;
	json_t *answer, *last;
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(control_address(name, &place, &error), 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&place, sizeof(place)), 0);
	control_write_line(fd, request_make("status"));
	answer = control_read_line(fd, (int)wait_scaled(5000));
	close(fd);
	last = json_incref(json_object_get(json_object_get(answer, "ok"), "last_migration"));
	json_decref(answer);
	return last;
}

static void expect_failure_is_kept(const char *code, const char *sentence)
{
	json_t *last = last_of("boat");

	assert_non_null(strstr(json_string_value(json_object_get(last, "error")), sentence));
	assert_string_equal(json_string_value(json_object_get(last, "code")), code);
	json_decref(last);
}

/* ---- The whole of it ---- */

static void test_receive(void **state)
{
	json_t *last;

	(void)state;
	begin("there");
	send_bytes("x", 1);
	send_bytes("GET / HTTP/1.1\r\n\r\n", 18);
	assert_int_equal(migrate("dry_run", &error), 0);
	assert_null(last_of("boat"));
	fake_fail(&hosts[1], FAKE_GIC_LOAD, 0, 1, EIO);
	assert_int_equal(migrate(NULL, &error), -EREMOTEIO);
	expect_failure_is_kept("peer-refused",
			       "the other side says: the fake host refuses the interrupt controller's state");
	assert_true(fake_vcpu_wait_inside(&machine.vcpus.vcpu[0].host, true));
	assert_int_equal(migrate(NULL, &error), 0);
	source_join(MACHINE_END_MIGRATED);
	/* The source has settled, or does so at once. */
	for (int n = 0; n < 5000 && !(last = last_of("there")); n++)
		usleep(1000);
	assert_string_equal(json_string_value(json_object_get(last, "name")), "boat");
	assert_int_equal(json_integer_value(json_object_get(last, "to_hz")), 100000000);
	json_decref(last);
	assert_int_equal(status("there"), 0);
	assert_int_equal(order("there", "stop", &error), 0);
	target_join(MACHINE_END_STOPPED);
}

/* The name is taken: refused before the guest is touched. */
static void test_name_in_use(void **state)
{
	(void)state;
	begin(NULL);
	assert_int_equal(migrate("dry_run", &error), -EREMOTEIO);
	assert_string_equal(error.text, "the other side says: a machine named boat is already running");
	assert_int_equal(migrate(NULL, &error), -EREMOTEIO);
	assert_string_equal(error.text, "the other side says: a machine named boat is already running");
	assert_int_equal(order("boat", "stop", &error), 0);
	source_join(MACHINE_END_STOPPED);
	pthread_kill(target.thread, SIGINT);
	target_join(MACHINE_END_STOPPED);
}

/* A source that says what comes and then nothing: the receiver's machine can be asked, cannot be misused, and a signal
 * ends the wait at once. */
static void test_signal_while_receiving(void **state)
{
	const struct frame_hello hello = { .id = { { 9 } }, .name = "slow", .hz = 25000000, .page_size = 4096 };
	const struct machine_config config = {
		.name = "slow",
		.vcpus = 1,
		.memory_size = LAYOUT_RAM_MIN,
		.model = CONFIG_MODEL_NEW,
		.address_bits = HOST_ADDRESS_BITS,
	};
	struct buffer buffer = { 0 };
	struct channel channel;
	struct frame frame;

	(void)state;
	begin("there");
	assert_int_equal(channel_connect(&channel, address, 5000, &terms, NULL, &error), 0);
	frame_put_hello(&buffer, &hello);
	assert_int_equal(channel_send_buffer(&channel, FRAME_HELLO, &buffer, &error), 0);
	config_put(&buffer, &config);
	assert_int_equal(channel_send_buffer(&channel, FRAME_MACHINE, &buffer, &error), 0);
	assert_int_equal(channel_expect(&channel, FRAME_WELCOME, &frame, &error), 0);
	assert_int_equal(status("there"), 0);
	assert_int_equal(order("there", "resume", &error), -EREMOTEIO);
	assert_string_equal(error.text, "there is receiving: it cannot be resumed now");
	assert_int_equal(order("there", "stop", &error), -EREMOTEIO);
	assert_int_equal(migrate(NULL, &error), -EREMOTEIO);
	assert_non_null(strstr(error.text, "this receiver has taken slow already: start another one for boat"));
	pthread_kill(target.thread, SIGINT);
	assert_int_equal(channel_receive(&channel, &frame, &error), -ECONNABORTED);
	assert_string_equal(error.text, "the other side says: the receiver was told to end");
	channel_close(&channel);
	target_join(MACHINE_END_STOPPED);
	assert_int_equal(fake_host_entries(&hosts[1]), 0);
	assert_int_equal(order("boat", "stop", &error), 0);
	source_join(MACHINE_END_STOPPED);
}

/* ---- A socket that was inherited ---- */

/* As a service manager passes it on, which goes on listening. */
static void pass_on(int listener, char text[16])
{
	snprintf(text, 16, "fd:%d", dup(listener));
}

static void test_inherited(void **state)
{
	char listen[16];
	int listener;

	(void)state;
	assert_int_equal(channel_listen(address, &listener, &error), 0);
	pass_on(listener, listen);
	receiver_start("ship", listen);
	assert_int_equal(migrate(NULL, &error), 0);
	source_join(MACHINE_END_MIGRATED);
	assert_int_equal(status("ship"), 0);
	assert_int_equal(order("ship", "stop", &error), 0);
	target_join(MACHINE_END_STOPPED);

	/* Who calls next is there for the next receiver, which ends once nobody is. */
	send_bytes("x", 1);
	pass_on(listener, listen);
	receiver_start("ship", listen);
	target_join(MACHINE_END_POWER_OFF);
	close(listener);
}

/* ---- Called off ---- */

static void *migrate_thread(void *argument)
{
	*(int *)argument = migrate(NULL, &error);
	return NULL;
}

/* Somebody who takes connections and says nothing. */
static void test_cancel(void **state)
{
	struct error mine;
	pthread_t thread;
	int listener, result;

	(void)state;
	assert_int_equal(migrate("cancel", &mine), -EREMOTEIO);
	assert_string_equal(mine.text, "boat is not being migrated");
	assert_int_equal(channel_listen(address, &listener, &mine), 0);
	pthread_create(&thread, NULL, migrate_thread, &result);
	while (machine_get_state(&machine) != MACHINE_MIGRATING)
		usleep(1000);
	assert_int_equal(order("boat", "pause", &mine), -EREMOTEIO);
	assert_string_equal(mine.text, "boat is migrating: it cannot be paused now");
	assert_string_equal(error_code(&mine), "busy");
	/* The thread is just being made, or waits for the WELCOME. */
	for (int n = 0; n < 5000 && migrate("cancel", &mine); n++)
		usleep(1000);
	pthread_join(thread, NULL);
	assert_int_equal(result, -EREMOTEIO);
	assert_string_equal(error.text, "the migration was cancelled");
	assert_int_equal(machine_get_state(&machine), MACHINE_RUNNING);
	expect_failure_is_kept("cancelled", "the migration was cancelled");
	close(listener);
	assert_int_equal(order("boat", "stop", &error), 0);
	source_join(MACHINE_END_STOPPED);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(test_receive),   TEST(test_name_in_use), TEST(test_signal_while_receiving),
		TEST(test_inherited), TEST(test_cancel),
	};

	return cmocka_run_group_tests(tests, prepare, remove_folder);
}
