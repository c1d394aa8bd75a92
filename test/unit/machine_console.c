/* SPDX-License-Identifier: BSD-2-Clause */
/* What is typed on a machine's console while it moves. */
#include "machine_fixture.h"

#include <errno.h>
#include <stdio.h>
#include <sys/mman.h>

static struct device *uart(void)
{
	return &machine.devices.uart.device;
}

static void save_uart(struct buffer *state)
{
	devices_quiesce(&machine.devices);
	lock_take(&uart()->lock);
	uart()->ops->save(uart(), state);
	lock_drop(&uart()->lock);
}

/* Input that comes after the console was saved waits, until the machine goes on here or its other part is sent after.
 */
static void test_late_input(void **state)
{
	struct buffer saved = { 0 };
	uint8_t late[4] = { 0 };

	(void)state;
	run();
	assert_true(uart_receive(&machine.devices.uart, 'a'));
	assert_int_equal(machine_begin_migration(&machine, &error), 0);
	save_uart(&saved);
	assert_true(uart_receive(&machine.devices.uart, 'b'));
	assert_true(uart_receive(&machine.devices.uart, 'c'));
	assert_int_equal(machine.devices.uart.pl011.count, 1);
	assert_true(uart_begin_input(&machine.devices.uart));
	uart_end_input(&machine.devices.uart);
	assert_int_equal(uart_late_input(&machine.devices.uart, late, 1), 1);
	assert_false(uart_begin_input(&machine.devices.uart));
	assert_int_equal(uart_late_input(&machine.devices.uart, late, sizeof(late)), 2);
	assert_memory_equal(late, "bc", 2);
	vcpus_park(&machine.vcpus);
	clock_stop(&machine.clock);
	machine_go_on(&machine, SC_CLOCK_FREEZE);
	machine_end_migration(&machine, MACHINE_RUNNING);
	assert_int_equal(machine.devices.uart.pl011.count, 3);
	for (const char *want = "abc"; *want; want++)
		assert_int_equal(mmio(UART_DR, 1, false, 0), *want);
	buffer_free(&saved);
}

/* While nobody knows on which host the guest runs, what is typed may still have to follow it. */
static void test_input_undecided(void **state)
{
	struct buffer saved = { 0 };
	uint8_t late[4] = { 0 };

	(void)state;
	run();
	machine_begin_migration(&machine, &error);
	save_uart(&saved);
	assert_true(uart_receive(&machine.devices.uart, 'a'));
	end_undecided();
	assert_true(uart_receive(&machine.devices.uart, 'b'));
	assert_int_equal(machine.devices.uart.pl011.count, 0);
	assert_int_equal(machine_begin_question(&machine, &error), 0);
	machine_end_migration(&machine, MACHINE_UNDECIDED);
	assert_int_equal(uart_late_input(&machine.devices.uart, late, sizeof(late)), 2);
	assert_memory_equal(late, "ab", 2);
	assert_int_equal(machine_resume(&machine, SC_CLOCK_FREEZE, true, &error), 0);
	assert_int_equal(machine.devices.uart.pl011.count, 2);
	buffer_free(&saved);
}

/* What the log has got since `log` took its place; and it is as before again. */
static uint32_t log_count(int log, int before, const char *words)
{
	char text[4096] = "";
	uint32_t count = 0;

	fflush(stderr);
	dup2(before, STDERR_FILENO);
	assert_true(pread(log, text, sizeof(text) - 1, 0) >= 0);
	close(log);
	close(before);
	for (const char *place = text; (place = strstr(place, words)); place++)
		count++;
	return count;
}

/* A paste that is too long, twice: each is told of once. */
static void test_input_lost(void **state)
{
	int log = memfd_create("log", MFD_CLOEXEC), before = dup(STDERR_FILENO);

	(void)state;
	run();
	dup2(log, STDERR_FILENO);
	for (unsigned int n = 0; n < PL011_FIFO_SIZE + UART_INPUT_MAX + 100; n++)
		uart_receive(&machine.devices.uart, 'x');
	mmio(UART_DR, 1, false, 0);
	for (unsigned int n = 0; n < 100; n++)
		uart_receive(&machine.devices.uart, 'x');
	assert_int_equal(log_count(log, before, "m: input is lost"), 2);
}

/* More input than a machine can have. */
static void test_input_too_long(void **state)
{
	static const uint8_t input[UART_INPUT_MAX + 1];
	struct buffer saved = { 0 };
	uint8_t registers[PL011_STATE_SIZE];
	struct cursor cursor;

	(void)state;
	for (size_t size = UART_INPUT_MAX; size <= UART_INPUT_MAX + 1; size++) {
		pl011_save(&machine.devices.uart.pl011, registers, sizeof(registers));
		buffer_clear(&saved);
		buffer_put_block(&saved, registers, sizeof(registers));
		buffer_put_block(&saved, input, size);
		machine.devices.uart.input.count = 0;
		cursor = cursor_make(saved.data, saved.size);
		assert_int_equal(uart()->ops->load(uart(), &cursor, 1), size > UART_INPUT_MAX ? -EPROTO : 0);
		cursor = cursor_make(saved.data, saved.size - 1);
		assert_int_equal(uart()->ops->load(uart(), &cursor, 1), -EPROTO);
	}
	buffer_free(&saved);
}

static void wake(void *context)
{
	++*(unsigned int *)context;
}

/* What the guest says stays for whoever attaches, also when the machine has been reset. */
static void test_backlog(void **state)
{
	struct backlog *backlog = &machine.devices.uart.backlog;
	unsigned int woken = 0;
	char read[8] = "";
	uint64_t missed;

	(void)state;
	run();
	mmio(UART_DR, 1, true, 'h');
	devices_reset(&machine.devices);
	mmio(UART_DR, 1, true, 'i');
	assert_int_equal(backlog_attach(backlog, wake, &woken), 0);
	assert_int_equal(backlog_read(backlog, read, sizeof(read), &missed), 2);
	assert_string_equal(read, "hi");
	mmio(UART_DR, 1, true, '!');
	assert_int_equal(woken, 2);
	backlog_detach(backlog);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(test_late_input),	   TEST(test_input_undecided), TEST(test_input_lost),
		TEST(test_input_too_long), TEST(test_backlog),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
