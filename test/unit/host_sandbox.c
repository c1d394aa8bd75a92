/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Each kind of thread makes the calls of its list; another one ends the program, with a sentence that names it. All in
 * children, for nothing of this can be taken back.
 */
#include "host/kvm_api.h"
#include "host/process.h"
#include "host/sandbox.h"
#include "host/violation.h"
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define TEXT_SIZE 1024
/* What the children say if something is not as it should be. */
#define STATUS_WRONG 90

/* What a child does, and what it says on standard error; its exit status. */
static int child_run(void (*act)(const void *), const void *context, char text[TEXT_SIZE])
{
	int ends[2], status = -1;
	size_t size = 0;
	ssize_t got;
	pid_t child;

	assert_int_equal(pipe(ends), 0);
	child = fork();
	if (!child) {
		struct error error;

		dup2(ends[1], STDERR_FILENO);
		if (process_harden(&error) || sandbox_open(SANDBOX_ON, &error))
			_exit(STATUS_WRONG + 1);
		act(context);
		_exit(EXIT_SUCCESS);
	}
	close(ends[1]);
	while ((got = read(ends[0], text + size, TEXT_SIZE - 1 - size)) > 0)
		size += (size_t)got;
	text[size] = '\0';
	close(ends[0]);
	assert_int_equal(waitpid(child, &status, 0), child);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
}

/* ---- One call ---- */

struct attempt {
	enum thread_kind kind;
	long call;
	unsigned long second;
	const char *name; /* in the sentence, if it is not in the list */
};

static void attempt(const void *context)
{
	const struct attempt *one = context;

	sandbox_enter(one->kind);
	errno = 0;
	/* No descriptor is -1, so nothing happens; and none of these calls works with it. */
	syscall(one->call, -1, one->second, 0, 0, 0, 0);
	if (errno == ENOSYS)
		_exit(STATUS_WRONG);
}

static void test_allowed(void **state)
{
	static const struct attempt allowed[] = {
		{ THREAD_VCPU, SYS_ioctl, KVM_RUN, NULL },
		{ THREAD_VCPU, SYS_ioctl, KVM_GET_MP_STATE, NULL },
		{ THREAD_VCPU, SYS_ioctl, KVM_SET_USER_MEMORY_REGION, NULL },
		{ THREAD_VCPU, SYS_timerfd_settime, 0, NULL },
		{ THREAD_DISK, SYS_ioctl, KVM_IRQ_LINE, NULL },
		{ THREAD_DISK, SYS_fdatasync, 0, NULL },
		{ THREAD_NBD, SYS_ioctl, KVM_IRQ_LINE, NULL },
		{ THREAD_NBD, SYS_connect, 0, NULL },
		{ THREAD_NET, SYS_ioctl, KVM_IRQ_LINE, NULL },
		{ THREAD_NET, SYS_ioctl, TUNSETOFFLOAD, NULL },
		{ THREAD_MIGRATION, SYS_ioctl, KVM_GET_DIRTY_LOG, NULL },
		{ THREAD_SAVE, SYS_fsync, 0, NULL },
		{ THREAD_TIMERS, SYS_ioctl, KVM_SET_DEVICE_ATTR, NULL },
		{ THREAD_VARIABLES, SYS_unlinkat, 0, NULL },
		{ THREAD_LOOKUP, SYS_sendmmsg, 0, NULL },
		{ THREAD_MAIN, SYS_accept4, 0, NULL },
	};
	char text[TEXT_SIZE];

	(void)state;
	for (size_t n = 0; n < ARRAY_SIZE(allowed); n++) {
		assert_int_equal(child_run(attempt, &allowed[n], text), 0);
		assert_string_equal(text, "");
	}
	/* What all of them do. */
	for (enum thread_kind kind = THREAD_MAIN; kind < THREAD_KINDS; kind++) {
		const struct attempt one = { kind, SYS_read, 0, NULL };

		assert_int_equal(child_run(attempt, &one, text), 0);
	}
}

static void expect_end(const struct attempt *one)
{
	char text[TEXT_SIZE], expected[TEXT_SIZE];

	snprintf(
		expected, sizeof(expected),
		"seaclock: the sandbox ends this program: its thread `%s` has made the system call %s, which no thread "
		"of its kind makes\n",
		thread_kind_name(THREAD_MAIN), one->name);
	assert_int_equal(child_run(attempt, one, text), EXIT_FAILURE);
	assert_string_equal(text, expected);
}

static void test_forbidden(void **state)
{
	static const struct attempt forbidden[] = {
		{ THREAD_VCPU, SYS_socket, 0, "socket" },
		{ THREAD_VCPU, SYS_fsync, 0, "fsync" },
		{ THREAD_VCPU, SYS_ioctl, KVM_CREATE_VM, "ioctl of request 0xae01" },
		{ THREAD_DISK, SYS_ioctl, KVM_RUN, "ioctl of request 0xae80" },
		{ THREAD_DISK, SYS_socket, 0, "socket" },
		{ THREAD_NET, SYS_connect, 0, "connect" },
		{ THREAD_WRITER, SYS_sendto, 0, "sendto" },
		{ THREAD_MIGRATION, SYS_bind, 0, "bind" },
		{ THREAD_MIGRATION, SYS_statfs, 0, "statfs" },
		{ THREAD_SAVE, SYS_renameat2, 0, "renameat2" },
		{ THREAD_MAIN, SYS_ioctl, TIOCSTI, "ioctl of request 0x5412" },
	};

	(void)state;
	for (size_t n = 0; n < ARRAY_SIZE(forbidden); n++)
		expect_end(&forbidden[n]);
	for (enum thread_kind kind = THREAD_MAIN; kind < THREAD_KINDS; kind++) {
		const struct attempt program = { kind, SYS_execve, 0, "execve" };

		expect_end(&program);
	}
}

/* ---- Memory, and threads ---- */

static void map_code(const void *context)
{
	(void)context;
	sandbox_enter(THREAD_LOOKUP);
	if (mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != MAP_FAILED ||
	    errno != EACCES)
		_exit(STATUS_WRONG);
	if (mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED)
		_exit(STATUS_WRONG);
}

static void test_code(void **state)
{
	char text[TEXT_SIZE];

	(void)state;
	assert_int_equal(child_run(map_code, NULL, text), 0);
}

static void *thread_open_socket(void *context)
{
	(void)context;
	close(socket(AF_UNIX, SOCK_STREAM, 0));
	return NULL;
}

/* Whoever asks for the thread may do less than it, and more. */
static void thread_make(const void *context)
{
	const enum thread_kind *kind = context;
	struct error error;
	pthread_t thread;

	if (threads_open(sandbox_enter, &error))
		_exit(STATUS_WRONG);
	sandbox_enter(THREAD_CLAIM);
	if (thread_start(&thread, *kind, thread_open_socket, NULL))
		_exit(STATUS_WRONG);
	pthread_join(thread, NULL);
}

static void test_threads(void **state)
{
	const enum thread_kind may = THREAD_MIGRATION, may_not = THREAD_VCPU;
	char text[TEXT_SIZE];

	(void)state;
	assert_int_equal(child_run(thread_make, &may, text), 0);
	assert_int_equal(child_run(thread_make, &may_not, text), EXIT_FAILURE);
	assert_non_null(strstr(text, "its thread `vcpu` has made the system call socket, "));
}

static void die(const void *context)
{
	(void)context;
	sandbox_enter(THREAD_DISK);
	abort();
}

/* An assertion of our own still is what it was. */
static void test_abort(void **state)
{
	char text[TEXT_SIZE];

	(void)state;
	assert_int_equal(child_run(die, NULL, text), 1000 + SIGABRT);
}

/* ---- Words ---- */

static void test_modes(void **state)
{
	enum sandbox_mode mode;

	(void)state;
	assert_true(sandbox_mode_parse(NULL, &mode) && mode == SANDBOX_ON);
	assert_true(sandbox_mode_parse("strict", &mode) && mode == SANDBOX_STRICT);
	assert_true(sandbox_mode_parse("off", &mode) && mode == SANDBOX_OFF);
	assert_false(sandbox_mode_parse("none", &mode));
}

static void test_unknown_call(void **state)
{
	char text[VIOLATION_TEXT_MAX];

	(void)state;
	violation_describe(THREAD_NET, 100000, 0, text);
	assert_non_null(strstr(text, "its thread `net` has made the system call of number 100000, which"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_allowed),	     cmocka_unit_test(test_forbidden), cmocka_unit_test(test_code),
		cmocka_unit_test(test_threads),	     cmocka_unit_test(test_abort),     cmocka_unit_test(test_modes),
		cmocka_unit_test(test_unknown_call),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
