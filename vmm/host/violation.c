/* SPDX-License-Identifier: BSD-2-Clause */
/* The end of a program that has made a call which is not in its list: see the header. */
#include "host/violation.h"

#include <seccomp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <termios.h>
#include <ucontext.h>
#include <unistd.h>

/* Numbers of calls; no architecture has more by far. */
#define CALLS 600

static char *names[CALLS]; /* NULL: there is no such call, or no memory for its name */
static struct termios terminal;
static bool has_terminal;

/* ---- Text, without the C library's, which may be what went wrong ---- */

static size_t text_put(char *text, size_t size, const char *more)
{
	while (*more && size < VIOLATION_TEXT_MAX - 1)
		text[size++] = *more++;
	return size;
}

static size_t number_put(char *text, size_t size, unsigned long number, unsigned int base)
{
	char digits[sizeof(number) * 8];
	size_t count = 0;

	do
		digits[count++] = "0123456789abcdef"[number % base];
	while ((number /= base));
	while (count && size < VIOLATION_TEXT_MAX - 1)
		text[size++] = digits[--count];
	return size;
}

size_t violation_describe(enum thread_kind kind, int call, unsigned long request, char text[VIOLATION_TEXT_MAX])
{
	const char *name = call >= 0 && call < CALLS ? names[call] : NULL;
	size_t size = text_put(text, 0, "seaclock: the sandbox ends this program: its thread `");

	size = text_put(text, size, thread_kind_name(kind));
	size = text_put(text, size, "` has made the system call ");
	size = text_put(text, size, name ? name : "of number ");
	if (!name)
		size = number_put(text, size, (unsigned long)call, 10);
	if (call == SYS_ioctl) {
		size = text_put(text, size, " of request 0x");
		size = number_put(text, size, request & 0xffffffffu, 16);
	}
	size = text_put(text, size, ", which no thread of its kind makes\n");
	text[size] = '\0';
	return size;
}

/* ---- The end ---- */

static _Noreturn void violation_end(const char *text, size_t size)
{
	ssize_t written = write(STDERR_FILENO, text, size);

	(void)written;
	if (has_terminal && tcgetpgrp(STDIN_FILENO) == getpgrp())
		tcsetattr(STDIN_FILENO, TCSANOW, &terminal);
	_exit(EXIT_FAILURE);
}

_Noreturn void violation_end_unheld(enum thread_kind kind, int err)
{
	char text[VIOLATION_TEXT_MAX];
	size_t size = text_put(text, 0, "seaclock: the thread `");

	size = text_put(text, size, thread_kind_name(kind));
	size = text_put(text, size, "` cannot be held to its list of system calls (errno ");
	size = number_put(text, size, (unsigned long)err, 10);
	size = text_put(text, size, "): the program ends\n");
	violation_end(text, size);
}

/* The second argument of the call: for ioctl(), its request. */
static unsigned long second_argument(const ucontext_t *context)
{
#if defined(__aarch64__)
	return context->uc_mcontext.regs[1];
#else
	return (unsigned long)context->uc_mcontext.gregs[REG_RSI];
#endif
}

static void violation_trapped(int signal, siginfo_t *info, void *context)
{
	char text[VIOLATION_TEXT_MAX];
	size_t size = violation_describe(thread_kind(), info->si_syscall, second_argument(context), text);

	(void)signal;
	violation_end(text, size);
}

void violation_open(void)
{
	struct sigaction action = { .sa_sigaction = violation_trapped, .sa_flags = SA_SIGINFO };

	for (int n = 0; n < CALLS; n++)
		if (!names[n])
			names[n] = seccomp_syscall_resolve_num_arch(SCMP_ARCH_NATIVE, n);
	has_terminal = isatty(STDIN_FILENO) && !tcgetattr(STDIN_FILENO, &terminal);
	sigemptyset(&action.sa_mask);
	sigaction(SIGSYS, &action, NULL);
}
