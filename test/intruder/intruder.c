/* SPDX-License-Identifier: BSD-2-Clause */
/* Somebody in a thread of a monitor: see the header. */
#include "intruder.h"

#include "base/thread.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

/* The first ones are the C library's, the monitor's are no real-time signals. */
#define INTRUDER_SIGNAL (SIGRTMIN + 1)

/* Behind it something listens on each machine, or nothing: it is not reached. */
#define SOME_PORT 22

/* ---- What is tried: 0, or a positive errno ---- */

static int try_execute(void)
{
	char *const nothing[] = { NULL };

	return execve("/bin/true", nothing, nothing) ? errno : 0;
}

static int try_trace(void)
{
	return ptrace(PTRACE_TRACEME, 0, NULL, NULL) ? errno : 0;
}

static int try_fork(void)
{
	long child = syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);

	if (!child)
		_exit(EXIT_SUCCESS);
	return child < 0 ? errno : 0;
}

/* The kernel would look at the descriptor only later. */
static int try_machine(void)
{
	return ioctl(-1, KVM_CREATE_VM, 0) < 0 ? errno : 0;
}

static int try_code(void)
{
	void *code = mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return code == MAP_FAILED ? errno : 0;
}

static int try_file(void)
{
	return open("/etc/passwd", O_RDONLY | O_CLOEXEC) < 0 ? errno : 0;
}

static int try_connect(void)
{
	const struct sockaddr_in address = {
		.sin_family = AF_INET,
		.sin_port = htons(SOME_PORT),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	return fd < 0 || connect(fd, (const struct sockaddr *)&address, sizeof(address)) ? errno : 0;
}

static const struct {
	const char *word;
	int (*make)(void);
} tries[] = {
	{ "execute", try_execute }, { "trace", try_trace }, { "fork", try_fork },	{ "machine", try_machine },
	{ "code", try_code },	    { "file", try_file },   { "connect", try_connect },
};

#define TRIES ((int)(sizeof(tries) / sizeof(tries[0])))

/* ---- Inside: async-signal-safe ---- */

static void tell(const char *word, int err)
{
	const char *const words[] = { "intruder: ", thread_kind_name(thread_kind()),	       " tries ", word,
				      ": ",	    err ? strerrordesc_np(err) : "it is done", "\n" };
	struct iovec parts[sizeof(words) / sizeof(words[0])];
	ssize_t written;

	for (size_t n = 0; n < sizeof(words) / sizeof(words[0]); n++)
		parts[n] = (struct iovec){ (void *)words[n], strlen(words[n]) };
	written = writev(STDERR_FILENO, parts, sizeof(words) / sizeof(words[0]));
	(void)written;
}

static void intruder_act(int signal, siginfo_t *info, void *context)
{
	int before = errno, n = info->si_value.sival_int;

	(void)signal;
	(void)context;
	if (n >= 0 && n < TRIES)
		tell(tries[n].word, tries[n].make());
	errno = before;
}

void intruder_open(void)
{
	struct sigaction action = { .sa_sigaction = intruder_act, .sa_flags = SA_SIGINFO | SA_RESTART };

	sigemptyset(&action.sa_mask);
	sigaction(INTRUDER_SIGNAL, &action, NULL);
}

/* ---- Outside ---- */

static bool thread_has_name(pid_t program, const char *task, const char *name)
{
	char path[64], line[32] = "";
	bool found;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/task/%.20s/comm", (int)program, task);
	file = fopen(path, "re");
	if (!file)
		return false;
	found = fgets(line, sizeof(line), file) != NULL;
	fclose(file);
	line[strcspn(line, "\n")] = '\0';
	return found && !strcmp(line, name);
}

/* The first thread of that name, or a negative errno. */
static pid_t thread_find(pid_t program, const char *name)
{
	const struct dirent *entry;
	char path[32];
	pid_t found = -ESRCH;
	DIR *tasks;

	snprintf(path, sizeof(path), "/proc/%d/task", (int)program);
	tasks = opendir(path);
	if (!tasks)
		return -errno;
	while (found < 0 && (entry = readdir(tasks)))
		if (entry->d_name[0] != '.' && thread_has_name(program, entry->d_name, name))
			found = (pid_t)strtol(entry->d_name, NULL, 10);
	closedir(tasks);
	return found;
}

int intruder_send(pid_t program, const char *thread, const char *word)
{
	siginfo_t info = { .si_code = SI_QUEUE };
	pid_t task = thread_find(program, thread);
	int n = 0;

	while (n < TRIES && strcmp(tries[n].word, word) != 0)
		n++;
	if (n == TRIES)
		return -EINVAL;
	info.si_value.sival_int = n;
	if (task < 0)
		return task;
	return syscall(SYS_rt_tgsigqueueinfo, program, task, INTRUDER_SIGNAL, &info) ? -errno : 0;
}
