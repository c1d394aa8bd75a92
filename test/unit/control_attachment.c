/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Clients on the guest's consoles: what they see, what the guest gets of what they type, and that one who is slow or
 * gone is in nobody's way.
 *
 * Policy: one thread: what a client has sent lies in the socket before it is served.
 */
#include "unit.h"
#include "folder_fixture.h"
#include "../fake/host_fake.h"
#include "../wait_scale.h"

#include "base/layout.h"
#include "control/server.h"
#include "control/stream.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define LIMIT_S 60
#define UART "{\"version\": 1, \"command\": \"console\"}\n"
#define VIRTIO "{\"version\": 1, \"command\": \"console\", \"virtio\": true}\n"
#define OK "{\"ok\":true}\n"
#define TEXT_MAX (1u << 20)

static struct machine machine;
static struct console console;
static struct control control;
static struct error error;

static int machine_make(uint32_t model)
{
	const struct machine_config config = {
		.name = "boat",
		.vcpus = 1,
		.memory_size = LAYOUT_RAM_MIN,
		.model = model,
	};

	alarm(wait_scaled(LIMIT_S));
	fake_reset();
	console = (struct console){ .in = -1, .out = -1 };
	return machine_create(&machine, &config, &console, &error) || control_open(&control, &machine, false, &error)
		       ? -1
		       : 0;
}

static int set_up(void **state)
{
	(void)state;
	return machine_make(CONFIG_MODEL_NEW) ? -1 : machine_resume(&machine, SC_CLOCK_FREEZE, false, &error);
}

static int tear_down_machine(void **state)
{
	(void)state;
	machine_destroy(&machine);
	alarm(0);
	return 0;
}

static int tear_down(void **state)
{
	control_close(&control);
	return tear_down_machine(state);
}

/* ---- A client ---- */

static int client_open(const char *request)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(connect(fd, (struct sockaddr *)&control.naming.name, sizeof(control.naming.name)), 0);
	assert_int_equal(send(fd, request, strlen(request), MSG_NOSIGNAL), strlen(request));
	control_serve(&control);
	return fd;
}

/* All that is there, and what comes when it has been read. */
static size_t client_read(int fd, char *text, size_t size)
{
	size_t count = 0;
	ssize_t got = 1;

	while (got > 0 && count < size) {
		control_serve(&control);
		got = recv(fd, text + count, size - count, MSG_DONTWAIT);
		count += got > 0 ? (size_t)got : 0;
	}
	return count;
}

static void expect_text(int fd, const char *want)
{
	char text[4096] = "";

	client_read(fd, text, sizeof(text) - 1);
	assert_string_equal(text, want);
}

static void client_type(int fd, const char *text)
{
	assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), strlen(text));
	control_serve(&control);
}

static void client_close(int fd)
{
	close(fd);
	control_serve(&control);
}

/* ---- The guest ---- */

static void uart_say(const char *text)
{
	struct device *device = &machine.devices.uart.device;

	for (; *text; text++) {
		lock_take(&device->lock);
		device->ops->write(device, 0, 1, (uint8_t)*text);
		lock_drop(&device->lock);
	}
}

static uint8_t uart_hear(void)
{
	struct device *device = &machine.devices.uart.device;
	uint8_t byte;

	lock_take(&device->lock);
	byte = (uint8_t)device->ops->read(device, 0, 1);
	lock_drop(&device->lock);
	return byte;
}

/* ---- Tests ---- */

static void test_uart(void **state)
{
	int fd;

	(void)state;
	uart_say("before\n");
	fd = client_open(UART);
	expect_text(fd, OK "before\n");
	uart_say("now\n");
	expect_text(fd, "now\n");
	client_type(fd, "key");
	for (const char *key = "key"; *key; key++)
		assert_int_equal(uart_hear(), *key);
	client_close(fd);
	/* He who comes next sees it all again. */
	fd = client_open(UART);
	expect_text(fd, OK "before\nnow\n");
	client_close(fd);
}

static void test_virtio(void **state)
{
	struct virtio_console *port = &machine.devices.console;
	char input[8] = "";
	int fd;

	(void)state;
	backlog_put(&port->backlog, "hvc0\n", 5);
	fd = client_open(VIRTIO);
	expect_text(fd, OK "hvc0\n");
	client_type(fd, "key");
	assert_int_equal(ring_peek(&port->input, 0, input, sizeof(input)), 3);
	assert_string_equal(input, "key");
	client_close(fd);
}

/* Each console has one client. */
static void test_second(void **state)
{
	static const char refused[] = "{\"error\":\"somebody is attached to this console of boat: only one can "
				      "be\",\"code\":\"busy\"}\n";
	int first = client_open(UART), second = client_open(UART), other = client_open(VIRTIO);

	(void)state;
	expect_text(second, refused);
	expect_text(other, OK);
	client_close(second);
	client_close(other);
	uart_say("on");
	expect_text(first, OK "on");
	client_close(first);
	first = client_open(UART);
	expect_text(first, OK "on");
	client_close(first);
}

static void test_refused(void **state)
{
	int fd;

	(void)state;
	machine_begin_receiving(&machine);
	fd = client_open(UART);
	expect_text(fd, "{\"error\":\"boat is receiving: attach to it once it runs here\",\"code\":\"busy\"}\n");
	client_close(fd);
}

static int set_up_old(void **state)
{
	(void)state;
	return machine_make(CONFIG_MODEL_DEVICES - 1);
}

static void test_no_virtio(void **state)
{
	int fd = client_open(VIRTIO);

	(void)state;
	expect_text(fd, "{\"error\":\"boat has no virtio console, for it was first run by an older version of "
			"Seaclock\",\"code\":\"unsupported\"}\n");
	client_close(fd);
}

/* The guest reads nothing: what has no place stays in the socket, without a spinning monitor, until there is one. */
static void test_no_room(void **state)
{
	static char much[PL011_FIFO_SIZE + UART_INPUT_MAX + 10];
	struct pollfd events;
	int fd = client_open(UART);

	(void)state;
	assert_int_equal(control_retry_ms(&control), -1);
	memset(much, 'x', sizeof(much));
	memcpy(much + sizeof(much) - 10, "0123456789", 10);
	assert_int_equal(send(fd, much, sizeof(much), MSG_NOSIGNAL), sizeof(much));
	for (unsigned int n = 0; n < 2 * sizeof(much) / 256; n++)
		control_serve(&control);
	assert_int_equal(control_retry_ms(&control), ATTACHMENT_RETRY_MS);
	events = (struct pollfd){ .fd = control.events, .events = POLLIN };
	assert_int_equal(poll(&events, 1, 0), 0);
	assert_false(machine.devices.uart.input_lost);
	for (size_t n = 0; n < sizeof(much); n++) {
		assert_int_equal(uart_hear(), much[n]);
		control_serve(&control);
	}
	assert_int_equal(control_retry_ms(&control), -1);
	/* He goes, though the guest does not listen. */
	assert_int_equal(send(fd, much, sizeof(much), MSG_NOSIGNAL), sizeof(much));
	for (unsigned int n = 0; n < 2 * sizeof(much) / 256; n++)
		control_serve(&control);
	client_close(fd);
	assert_int_equal(control_retry_ms(&control), -1);
	assert_int_equal(control.attachment[ATTACHMENT_UART].fd, -1);
}

/* A client who sends no more still reads. */
static void test_half_closed(void **state)
{
	struct pollfd events;
	int fd = client_open(UART);

	(void)state;
	client_type(fd, "last");
	shutdown(fd, SHUT_WR);
	control_serve(&control);
	control_serve(&control);
	events = (struct pollfd){ .fd = control.events, .events = POLLIN };
	assert_int_equal(poll(&events, 1, 0), 0);
	for (const char *key = "last"; *key; key++)
		assert_int_equal(uart_hear(), *key);
	uart_say("still here");
	expect_text(fd, OK "still here");
	client_close(fd);
	assert_int_equal(control.attachment[ATTACHMENT_UART].fd, -1);
}

/* He who reads nothing misses output, and is told so where it is; nobody waits, and the end has room. */
static void test_slow(void **state)
{
	static char line[1025], text[TEXT_MAX];
	struct pollfd events;
	int fd = client_open(UART);
	const char *mark;
	size_t size;

	(void)state;
	memset(line, 'x', sizeof(line) - 2);
	line[sizeof(line) - 2] = '\n';
	for (unsigned int n = 0; n < 512; n++) {
		uart_say(line);
		control_serve(&control);
	}
	events = (struct pollfd){ .fd = control.events, .events = POLLIN };
	assert_int_equal(poll(&events, 1, 0), 0);
	uart_say("last words");
	machine_finish(&machine, MACHINE_END_POWER_OFF);
	control_close(&control);
	size = client_read(fd, text, sizeof(text));
	assert_in_range(size, BACKLOG_SIZE, 512 * sizeof(line));
	text[size] = '\0';
	mark = strstr(text, "\n[seaclock: ");
	assert_non_null(mark);
	assert_non_null(strstr(mark, " bytes of output are missing here]\n"));
	assert_non_null(strstr(mark, "last words"));
	assert_string_equal(text + strlen(text) + 1, "{\"ok\":{\"end\":\"off\",\"unread\":0}}\n");
	close(fd);
}

/* Once the machine has moved nothing is read, and the client is told how much was not. */
static void test_moved(void **state)
{
	uint8_t late[UART_LATE_INPUT_MAX];
	char text[256] = "";
	int fd = client_open(UART);
	size_t size;

	(void)state;
	expect_text(fd, OK);
	assert_int_equal(machine_begin_migration(&machine, &error), 0);
	devices_quiesce(&machine.devices);
	client_type(fd, "late");
	assert_int_equal(uart_late_input(&machine.devices.uart, late, sizeof(late)), 4);
	assert_memory_equal(late, "late", 4);
	client_type(fd, "too late");
	devices_start(&machine.devices);
	strcpy(control.migration.host, "192.0.2.7");
	machine_finish(&machine, MACHINE_END_MIGRATED);
	machine_end_migration(&machine, MACHINE_MIGRATING);
	control_close(&control);
	size = client_read(fd, text, sizeof(text) - 1);
	assert_int_equal(text[0], 0);
	assert_string_equal(text + 1, "{\"ok\":{\"end\":\"moved\",\"host\":\"192.0.2.7\",\"unread\":8}}\n");
	assert_int_equal(size, strlen(text + 1) + 1);
	close(fd);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
#define TEST_TO_END(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down_machine)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(test_uart),
		TEST(test_virtio),
		TEST(test_second),
		TEST(test_refused),
		cmocka_unit_test_setup_teardown(test_no_virtio, set_up_old, tear_down),
		TEST(test_no_room),
		TEST(test_half_closed),
		TEST_TO_END(test_slow),
		TEST_TO_END(test_moved),
	};

	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
