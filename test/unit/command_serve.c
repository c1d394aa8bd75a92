/* SPDX-License-Identifier: BSD-2-Clause */
/* A machine that is served: by its control socket, from a client's side, and by its console's input. */
#include "unit.h"
#include "folder_fixture.h"
#include "../fake/guest_call.h"
#include "../wait_scale.h"

#include "base/layout.h"
#include "base/signals.h"
#include "command/serve.h"
#include "control/client.h"
#include "control/request.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define LIMIT_S 60

static struct machine machine;
static struct console console;
static struct error error;

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
	console = (struct console){ .in = -1, .out = -1 };
	if (machine_create(&machine, &config, &console, &error))
		return -1;
	return machine_resume(&machine, SC_CLOCK_FREEZE, false, &error);
}

static int tear_down(void **state)
{
	(void)state;
	machine_destroy(&machine);
	alarm(0);
	return 0;
}

struct served {
	struct serve serve;
	enum machine_end end;
	uint64_t cpu_ns; /* that serving took */
};

static void *serve_thread(void *argument)
{
	struct served *served = argument;
	struct timespec used;

	served->end = serve_run(&served->serve);
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
	served->cpu_ns = (uint64_t)used.tv_sec * 1000000000u + (uint64_t)used.tv_nsec;
	return NULL;
}

/* As the commands of seaclock do it. */
static int client(const char *command, const char *host)
{
	json_t *request = request_make(command), *answer = NULL;
	int result;

	request_set_text(request, "host", host);
	result = client_ask("boat", request, NULL, &answer, &error);
	json_decref(answer);
	return result;
}

static int client_sees(size_t machines)
{
	json_t *status = NULL;
	int result = client_status("boat", &status, &error);

	json_decref(status);
	assert_int_equal(client_status_all(&status, &error), 0);
	assert_int_equal(json_array_size(status), machines);
	json_decref(status);
	return result;
}

static void test_client(void **state)
{
	struct served served = { .end = MACHINE_END_NONE };
	pthread_t thread;

	(void)state;
	signals_prepare();
	assert_int_equal(client("pause", NULL), -ESRCH);
	assert_string_equal(error_code(&error), "not-running");
	assert_non_null(strstr(error.text, "no machine named boat is running here"));
	assert_int_equal(serve_open(&served.serve, &machine, false, &error), 0);
	pthread_create(&thread, NULL, serve_thread, &served);
	assert_int_equal(client("pause", NULL), 0);
	assert_int_equal(client("shutdown", NULL), -EREMOTEIO);
	assert_string_equal(error_code(&error), "busy");
	assert_int_equal(client("resume", NULL), 0);
	assert_int_equal(client("shutdown", NULL), 0);
	assert_int_equal(client_sees(1), 0);
	assert_int_equal(client("sink", NULL), -EREMOTEIO);
	assert_int_equal(client("migrate", "127.0.0.1:1"), -EREMOTEIO);
	assert_non_null(strstr(error.text, "cannot connect to 127.0.0.1:1"));
	assert_string_equal(error_code(&error), "unreachable");
	assert_int_equal(client("stop", NULL), 0);
	pthread_join(thread, NULL);
	assert_int_equal(served.end, MACHINE_END_STOPPED);
	serve_close(&served.serve);
	assert_int_equal(client_sees(0), -ESRCH);
}

static uint32_t uart_count(void)
{
	uint32_t count;

	lock_take(&machine.devices.uart.device.lock);
	count = machine.devices.uart.pl011.count;
	lock_drop(&machine.devices.uart.device.lock);
	return count;
}

/* The guest reads its UART; false if there is nothing. */
static bool uart_take(uint8_t *byte)
{
	const struct host_vcpu *vcpu = &machine.vcpus.vcpu[0].host;
	const struct fake_exit load = { .exit = { .kind = HOST_EXIT_MMIO, .gpa = LAYOUT_UART_BASE, .size = 1 } };

	if (!uart_count())
		return false;
	fake_vcpu_script(vcpu, &load);
	assert_true(fake_vcpu_wait(vcpu));
	*byte = (uint8_t)fake_vcpu_register(vcpu, FAKE_REGISTER_X0);
	return true;
}

/*
 * The console's input ends while the guest has no room for its last bytes: the monitor waits without spinning, and none
 * is lost.
 */
static void test_console_end(void **state)
{
	static const char input[] = "the quick brown fox jumps over the lazy dog";
	struct served served = { .end = MACHINE_END_NONE };
	char got[sizeof(input)] = "";
	pthread_t thread;
	int ends[2];

	(void)state;
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	console.in = ends[0];
	assert_int_equal(write(ends[1], input, sizeof(input) - 1), sizeof(input) - 1);
	close(ends[1]);
	assert_int_equal(serve_open(&served.serve, &machine, false, &error), 0);
	pthread_create(&thread, NULL, serve_thread, &served);
	for (int n = 0; n < 5000 && uart_count() < PL011_FIFO_SIZE; n++)
		usleep(1000);
	usleep(100000); /* in which it could spin */
	for (size_t n = 0, limit = 5000; n < sizeof(input) - 1 && limit; limit--)
		if (uart_take((uint8_t *)&got[n]))
			n++;
		else
			usleep(1000);
	assert_string_equal(got, input);
	machine_finish(&machine, MACHINE_END_STOPPED);
	pthread_join(thread, NULL);
	serve_close(&served.serve);
	close(ends[0]);
	assert_int_equal(served.end, MACHINE_END_STOPPED);
	assert_true(served.cpu_ns < 50000000);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(test_client),
		TEST(test_console_end),
	};

	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
