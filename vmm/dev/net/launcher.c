/* SPDX-License-Identifier: BSD-2-Clause */
/* Who starts a passt: see the header. */
#include "dev/net/launcher.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

/* The descriptor that a passt finds its socket at, and the launcher its own. */
#define CHILD_FD 3

/* Asked, with a socket or without. */
struct order {
	pid_t ends; /* 0: one is to be started */
};

struct answer {
	int err; /* positive */
	pid_t passt;
};

static int launcher = -1; /* the monitor's end of its socket; -1: there is none */

/* ---- The work ---- */

/* With signals as a program expects them, away from the terminal's keys. */
static int passt_spawn(int socket, pid_t *passt)
{
	char *const words[] = { "passt", "--foreground", "--quiet", "--fd", "3", NULL };
	posix_spawn_file_actions_t files;
	posix_spawnattr_t attributes;
	sigset_t none, all;
	int err;

	sigemptyset(&none);
	sigfillset(&all);
	posix_spawn_file_actions_init(&files);
	posix_spawnattr_init(&attributes);
	posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_adddup2(&files, socket, CHILD_FD);
	/* A tap that the monitor has inherited is none of its business. */
	posix_spawn_file_actions_addclosefrom_np(&files, CHILD_FD + 1);
	posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
	posix_spawnattr_setsigmask(&attributes, &none);
	posix_spawnattr_setsigdefault(&attributes, &all);
	err = posix_spawnp(passt, words[0], &files, &attributes, words, environ);
	posix_spawnattr_destroy(&attributes);
	posix_spawn_file_actions_destroy(&files);
	return err;
}

/* Only a child is ended, whoever has the number by now. It has nothing to lose: connections through it end anyway. */
static void passt_end(pid_t passt)
{
	if (waitpid(passt, NULL, WNOHANG))
		return;
	kill(passt, SIGKILL);
	waitpid(passt, NULL, 0);
}

/* ---- The launcher's process ---- */

/* False at the end. *socket is -1 if none came along. */
static bool order_take(struct order *order, int *socket)
{
	char space[CMSG_SPACE(sizeof(int))];
	struct iovec piece = { order, sizeof(*order) };
	struct msghdr message = {
		.msg_iov = &piece, .msg_iovlen = 1, .msg_control = space, .msg_controllen = sizeof(space)
	};
	ssize_t got;

	*socket = -1;
	do
		got = recvmsg(CHILD_FD, &message, MSG_CMSG_CLOEXEC);
	while (got < 0 && errno == EINTR);
	for (struct cmsghdr *head = CMSG_FIRSTHDR(&message); head && got > 0; head = CMSG_NXTHDR(&message, head))
		if (head->cmsg_level == SOL_SOCKET && head->cmsg_type == SCM_RIGHTS)
			memcpy(socket, CMSG_DATA(head), sizeof(*socket));
	return got == (ssize_t)sizeof(*order);
}

static struct answer order_carry_out(const struct order *order, int socket)
{
	struct answer answer = { .err = 0 };

	if (order->ends)
		passt_end(order->ends);
	else
		answer.err = socket < 0 ? EBADF : passt_spawn(socket, &answer.passt);
	if (socket >= 0)
		close(socket);
	return answer;
}

/* Signals and the terminal's keys are for the monitor, with which it ends. */
static _Noreturn void launcher_run(int socket)
{
	struct order order;
	sigset_t all;
	int passt;

	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, NULL);
	setpgid(0, 0);
	if (socket != CHILD_FD && dup2(socket, CHILD_FD) < 0)
		_exit(EXIT_FAILURE);
	fcntl(CHILD_FD, F_SETFD, FD_CLOEXEC);
	/* What the monitor has inherited, or its end of the socket, is none of its business either. */
	close_range(CHILD_FD + 1, ~0u, 0);
	while (order_take(&order, &passt)) {
		struct answer answer = order_carry_out(&order, passt);

		if (send(CHILD_FD, &answer, sizeof(answer), MSG_NOSIGNAL) != sizeof(answer))
			break;
	}
	_exit(EXIT_SUCCESS);
}

int launcher_open(struct error *error)
{
	int pair[2];
	pid_t process;

	/* Records: each order is taken as one. */
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair))
		return error_set(error, error_of_call(errno), "no socket for starting passt (%s)", strerror(errno));
	process = fork();
	if (!process)
		launcher_run(pair[1]);
	close(pair[1]);
	if (process < 0) {
		error_record(error, error_of_call(errno), "no process for starting passt (%s)", strerror(errno));
		close(pair[0]);
		return -error->err;
	}
	launcher = pair[0];
	return 0;
}

/* ---- The monitor ---- */

/* A positive errno if it does not answer. */
static int launcher_ask(const struct order *order, int socket, struct answer *answer)
{
	char space[CMSG_SPACE(sizeof(int))] = { 0 };
	struct iovec piece = { (void *)order, sizeof(*order) };
	struct msghdr message = { .msg_iov = &piece, .msg_iovlen = 1 };
	ssize_t got;

	if (socket >= 0) {
		struct cmsghdr *head = (struct cmsghdr *)space;

		message.msg_control = space;
		message.msg_controllen = sizeof(space);
		*head = (struct cmsghdr){ .cmsg_len = CMSG_LEN(sizeof(socket)),
					  .cmsg_level = SOL_SOCKET,
					  .cmsg_type = SCM_RIGHTS };
		memcpy(CMSG_DATA(head), &socket, sizeof(socket));
	}
	do
		got = sendmsg(launcher, &message, MSG_NOSIGNAL);
	while (got < 0 && errno == EINTR);
	if (got < 0)
		return errno;
	do
		got = recv(launcher, answer, sizeof(*answer), 0);
	while (got < 0 && errno == EINTR);
	return got < 0 ? errno : got == (ssize_t)sizeof(*answer) ? answer->err : EPIPE;
}

int launcher_start(int socket, pid_t *passt)
{
	const struct order order = { .ends = 0 };
	struct answer answer;
	int err;

	if (launcher < 0)
		return passt_spawn(socket, passt);
	err = launcher_ask(&order, socket, &answer);
	*passt = err ? 0 : answer.passt;
	return err;
}

void launcher_end(pid_t passt)
{
	const struct order order = { .ends = passt };
	struct answer answer;

	if (launcher < 0)
		passt_end(passt);
	else
		launcher_ask(&order, -1, &answer);
}
