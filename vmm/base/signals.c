/* SPDX-License-Identifier: BSD-2-Clause */
/* The signals of a monitor: see the header. */
#include "base/signals.h"

#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

static const int orders[] = { SIGINT, SIGTERM, SIGHUP };
static const int harmful[] = { SIGPIPE, SIGXFSZ, SIGTTIN, SIGTTOU };

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void orders_fill(sigset_t *set)
{
	sigemptyset(set);
	for (size_t n = 0; n < COUNT(orders); n++)
		sigaddset(set, orders[n]);
}

void signals_hold(void)
{
	sigset_t set;

	orders_fill(&set);
	sigprocmask(SIG_BLOCK, &set, NULL);
}

void signals_prepare(void)
{
	signals_hold();
	for (size_t n = 0; n < COUNT(harmful); n++)
		signal(harmful[n], SIG_IGN);
}

int signals_open(void)
{
	sigset_t set;

	orders_fill(&set);
	return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

const char *signals_take(int fd)
{
	struct signalfd_siginfo info;

	if (read(fd, &info, sizeof(info)) != sizeof(info))
		return NULL;
	return strsignal((int)info.ssi_signo);
}

int signals_check(struct error *error)
{
	sigset_t pending;

	sigpending(&pending);
	for (size_t n = 0; n < COUNT(orders); n++)
		if (sigismember(&pending, orders[n]))
			return error_set(error, EINTR, "told to end (%s)", strsignal(orders[n]));
	return 0;
}

/* ---- Of a client ---- */

static void (*clean_up)(void);

static void on_order(int number)
{
	clean_up();
	/* By default, as SA_RESETHAND has made it. */
	raise(number);
}

void signals_clean_by(void (*clean)(void))
{
	const struct sigaction action = { .sa_handler = on_order, .sa_flags = SA_RESETHAND | SA_NODEFER };

	clean_up = clean;
	for (size_t n = 0; n < COUNT(orders); n++) {
		struct sigaction before;

		/* As nohup(1) leaves it. */
		if (!sigaction(orders[n], NULL, &before) && before.sa_handler != SIG_IGN)
			sigaction(orders[n], &action, NULL);
	}
}
