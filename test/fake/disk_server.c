/* SPDX-License-Identifier: BSD-2-Clause */
/* A real NBD server: see the header. */
#include "disk_server.h"

#include "../wait_scale.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define LIMIT_MS 20000u
#define LOOK_MS 2
#define PATIENCE_MS 1000u

static _Noreturn void server_fail(const char *what)
{
	fprintf(stderr, "disk server: %s\n", what);
	abort();
}

static void look_later(void)
{
	const struct timespec pause = { .tv_nsec = LOOK_MS * 1000000 };

	nanosleep(&pause, NULL);
}

void disk_server_init(struct disk_server *server, const char *folder)
{
	*server = (struct disk_server){ .pid = 0 };
	snprintf(server->socket, sizeof(server->socket), "%s/nbd.sock", folder);
	snprintf(server->pid_file, sizeof(server->pid_file), "%s/nbd.pid", folder);
	snprintf(server->uri, sizeof(server->uri), "nbd+unix:///?socket=%s", server->socket);
}

void disk_server_use_port(struct disk_server *server, const char *address)
{
	snprintf(server->port, sizeof(server->port), "%s", strchr(address, ':') + 1);
	snprintf(server->uri, sizeof(server->uri), "nbd://%s/", address);
}

static _Noreturn void server_run(const struct disk_server *server, const char *const *words, pid_t parent)
{
	const char *all[DISK_SERVER_WORDS_MAX] = { "nbdkit", "-f", "-P", server->pid_file };
	bool has_port = server->port[0];
	unsigned int count = 4;
	sigset_t none;

	if (has_port) {
		all[count++] = "--ipaddr=127.0.0.1";
		all[count++] = "-p";
	} else {
		all[count++] = "-U";
	}
	all[count++] = has_port ? server->port : server->socket;
	for (; *words && count + 1 < DISK_SERVER_WORDS_MAX; words++)
		all[count++] = *words;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(1);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	alarm(0);
	execvp(all[0], (char *const *)all);
	_exit(127);
}

/* nbdkit writes the file once it takes connections. */
void disk_server_start(struct disk_server *server, const char *const *words)
{
	pid_t parent = getpid();

	unlink(server->socket);
	unlink(server->pid_file);
	server->pid = fork();
	if (!server->pid)
		server_run(server, words, parent);
	if (server->pid < 0)
		server_fail("no process");
	for (unsigned int waited = 0; access(server->pid_file, F_OK); waited += LOOK_MS) {
		if (waitpid(server->pid, NULL, WNOHANG) == server->pid)
			server_fail("nbdkit has ended at once");
		if (waited > wait_scaled(LIMIT_MS))
			server_fail("nbdkit is not ready in time");
		look_later();
	}
}

/* nbdkit may wait for its clients, and this program is one, which does not go on meanwhile. */
void disk_server_end(struct disk_server *server, int signal_number)
{
	if (!server->pid)
		return;
	kill(server->pid, signal_number);
	for (unsigned int waited = 0; waitpid(server->pid, NULL, WNOHANG) != server->pid; waited += LOOK_MS) {
		if (waited == PATIENCE_MS)
			kill(server->pid, SIGKILL);
		if (waited > wait_scaled(LIMIT_MS))
			server_fail("nbdkit does not end");
		look_later();
	}
	server->pid = 0;
}
