/* SPDX-License-Identifier: BSD-2-Clause */
/* Calls that fail: see the header. What is called NAME in vmm/ is faulty_NAME here. */
#include "fault.h"

#include "../../fake/host_fake.h"

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <execinfo.h>
#include <fcntl.h>
#include <jansson.h>
#include <liburing.h>
#include <netdb.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#define PLACES 65536u
#define OWN_DEPTH 2 /* this file's functions above a call */

static struct fault_board *board;
static uint8_t uses[PLACES];

static uint8_t *uses_of(void *const *place, int depth)
{
	uint64_t hash = 0;

	for (int n = 0; n < depth; n++)
		hash = (hash ^ (uintptr_t)place[n]) * 0x9e3779b97f4a7c15u;
	return &uses[hash >> 48];
}

/* True if the place has been used so often. */
static bool is_worn(uint8_t *used)
{
	uint8_t count = __atomic_load_n(used, __ATOMIC_RELAXED);

	if (count < FAULT_PLACE_MAX)
		__atomic_store_n(used, count + 1, __ATOMIC_RELAXED);
	return count >= FAULT_PLACE_MAX;
}

static void board_note(const char *name, void *const *place, int depth)
{
	Dl_info program;

	dladdr(&board, &program);
	strncpy(board->name, name, sizeof(board->name) - 1);
	for (int n = 0; n < depth; n++)
		board->place[n] = (uintptr_t)place[n] - (uintptr_t)program.dli_fbase;
	__atomic_store_n(&board->struck, true, __ATOMIC_RELEASE);
}

/* Whether this call is the one that is to fail. */
static bool strikes(enum fault_kind kind, const char *name)
{
	void *place[FAULT_DEPTH + OWN_DEPTH];
	int depth;

	if (!board || __atomic_load_n(&board->kind, __ATOMIC_ACQUIRE) != (int)kind)
		return false;
	depth = backtrace(place, FAULT_DEPTH + OWN_DEPTH) - OWN_DEPTH;
	if (is_worn(uses_of(place + OWN_DEPTH, depth)))
		return false;
	if (__atomic_fetch_add(&board->seen, 1, __ATOMIC_RELAXED) != board->nth)
		return false;
	board_note(name, place + OWN_DEPTH, depth);
	return true;
}

/* A call that returns `bad` and an errno. */
#define FAULTY(kind, type, name, bad, err, parameters, arguments)                                                      \
	type faulty_##name parameters;                                                                                 \
	type faulty_##name parameters                                                                                  \
	{                                                                                                              \
		if (!strikes(kind, #name))                                                                             \
			return name arguments;                                                                         \
		errno = (err);                                                                                         \
		return (bad);                                                                                          \
	}

#define CALL(type, name, err, parameters, arguments)                                                                   \
	FAULTY(FAULT_CALL, type, name, (type)-1, err, parameters, arguments)

/* One that may also be interrupted. */
#define WAIT(type, name, err, parameters, arguments)                                                                   \
	type faulty_##name parameters;                                                                                 \
	type faulty_##name parameters                                                                                  \
	{                                                                                                              \
		bool interrupted = strikes(FAULT_INTERRUPTION, #name);                                                 \
                                                                                                                       \
		if (!interrupted && !strikes(FAULT_CALL, #name))                                                       \
			return name arguments;                                                                         \
		errno = interrupted ? EINTR : (err);                                                                   \
		return (type)-1;                                                                                       \
	}

/* ---- Allocations ---- */

FAULTY(FAULT_ALLOCATION, void *, malloc, NULL, ENOMEM, (size_t size), (size))
FAULTY(FAULT_ALLOCATION, void *, calloc, NULL, ENOMEM, (size_t count, size_t size), (count, size))
FAULTY(FAULT_ALLOCATION, void *, realloc, NULL, ENOMEM, (void *data, size_t size), (data, size))
FAULTY(FAULT_ALLOCATION, char *, strdup, NULL, ENOMEM, (const char *text), (text))
FAULTY(FAULT_ALLOCATION, ZSTD_CCtx *, ZSTD_createCCtx, NULL, ENOMEM, (void), ())
FAULTY(FAULT_ALLOCATION, ZSTD_DCtx *, ZSTD_createDCtx, NULL, ENOMEM, (void), ())
FAULTY(FAULT_ALLOCATION, int, inflateInit2_, Z_MEM_ERROR, ENOMEM,
       (z_stream * stream, int bits, const char *version, int size), (stream, bits, version, size))

/* ---- Files ---- */

WAIT(ssize_t, read, EIO, (int fd, void *data, size_t size), (fd, data, size))
WAIT(ssize_t, write, ENOSPC, (int fd, const void *data, size_t size), (fd, data, size))
WAIT(ssize_t, readv, EIO, (int fd, const struct iovec *piece, int pieces), (fd, piece, pieces))
WAIT(ssize_t, writev, EIO, (int fd, const struct iovec *piece, int pieces), (fd, piece, pieces))
WAIT(ssize_t, pread, EIO, (int fd, void *data, size_t size, off_t at), (fd, data, size, at))
WAIT(ssize_t, pwrite, ENOSPC, (int fd, const void *data, size_t size, off_t at), (fd, data, size, at))
WAIT(ssize_t, preadv, EIO, (int fd, const struct iovec *piece, int pieces, off_t at), (fd, piece, pieces, at))
WAIT(ssize_t, pwritev, EIO, (int fd, const struct iovec *piece, int pieces, off_t at), (fd, piece, pieces, at))
CALL(int, fsync, EIO, (int fd), (fd))
CALL(int, fdatasync, EIO, (int fd), (fd))
CALL(int, syncfs, EIO, (int fd), (fd))
CALL(int, ftruncate, EIO, (int fd, off_t size), (fd, size))
CALL(int, fallocate, EOPNOTSUPP, (int fd, int mode, off_t at, off_t size), (fd, mode, at, size))
CALL(int, fstat, EIO, (int fd, struct stat *found), (fd, found))
CALL(int, stat, EACCES, (const char *path, struct stat *found), (path, found))
CALL(int, access, EACCES, (const char *path, int mode), (path, mode))
CALL(int, rename, EIO, (const char *from, const char *to), (from, to))
CALL(int, renameat2, EINVAL, (int from_fd, const char *from, int to_fd, const char *to, unsigned int flags),
     (from_fd, from, to_fd, to, flags))
CALL(int, unlink, EROFS, (const char *path), (path))
CALL(int, mkdir, ENOSPC, (const char *path, mode_t mode), (path, mode))
CALL(int, fchmod, EPERM, (int fd, mode_t mode), (fd, mode))
CALL(int, mkostemp, EMFILE, (char *path, int flags), (path, flags))
CALL(off_t, lseek, EIO, (int fd, off_t at, int whence), (fd, at, whence))
CALL(int, flock, ENOLCK, (int fd, int operation), (fd, operation))
FAULTY(FAULT_CALL, char *, getcwd, NULL, ENOENT, (char *path, size_t size), (path, size))
FAULTY(FAULT_CALL, DIR *, opendir, NULL, EMFILE, (const char *path), (path))

int faulty_open(const char *path, int flags, ...);
int faulty_open(const char *path, int flags, ...)
{
	bool interrupted = strikes(FAULT_INTERRUPTION, "open");
	va_list arguments;
	mode_t mode;

	va_start(arguments, flags);
	mode = flags & O_CREAT ? va_arg(arguments, mode_t) : 0;
	va_end(arguments);
	if (!interrupted && !strikes(FAULT_CALL, "open"))
		return open(path, flags, mode);
	errno = interrupted ? EINTR : EMFILE;
	return -1;
}

int faulty_fcntl(int fd, int command, ...);
int faulty_fcntl(int fd, int command, ...)
{
	va_list arguments;
	void *argument;

	va_start(arguments, command);
	argument = va_arg(arguments, void *);
	va_end(arguments);
	if (!strikes(FAULT_CALL, "fcntl"))
		return fcntl(fd, command, argument);
	errno = ENOLCK;
	return -1;
}

int faulty_ioctl(int fd, unsigned long request, ...);
int faulty_ioctl(int fd, unsigned long request, ...)
{
	va_list arguments;
	void *argument;

	va_start(arguments, request);
	argument = va_arg(arguments, void *);
	va_end(arguments);
	if (!strikes(FAULT_CALL, "ioctl"))
		return ioctl(fd, request, argument);
	errno = EIO;
	return -1;
}

/* The descriptor is closed all the same. */
int faulty_close(int fd);
int faulty_close(int fd)
{
	int result = close(fd);

	if (!strikes(FAULT_CALL, "close"))
		return result;
	errno = EIO;
	return -1;
}

/* ---- Waiting, events, threads ---- */

WAIT(int, poll, ENOMEM, (struct pollfd * item, nfds_t items, int limit_ms), (item, items, limit_ms))
WAIT(int, ppoll, ENOMEM, (struct pollfd * item, nfds_t items, const struct timespec *limit, const sigset_t *signals),
     (item, items, limit, signals))
WAIT(int, epoll_wait, EBADF, (int fd, struct epoll_event *event, int events, int limit_ms),
     (fd, event, events, limit_ms))
WAIT(int, nanosleep, EINVAL, (const struct timespec *pause, struct timespec *left), (pause, left))
CALL(int, epoll_create1, EMFILE, (int flags), (flags))
CALL(int, epoll_ctl, ENOMEM, (int fd, int operation, int item, struct epoll_event *event), (fd, operation, item, event))
CALL(int, eventfd, EMFILE, (unsigned int count, int flags), (count, flags))
CALL(int, signalfd, EMFILE, (int fd, const sigset_t *signals, int flags), (fd, signals, flags))
CALL(int, kill, EPERM, (pid_t pid, int number), (pid, number))
FAULTY(FAULT_CALL, void *, dlopen, NULL, ENOENT, (const char *file, int mode), (file, mode))
FAULTY(FAULT_CALL, int, pthread_create, EAGAIN, EAGAIN,
       (pthread_t * thread, const pthread_attr_t *attributes, void *(*run)(void *), void *argument),
       (thread, attributes, run, argument))
FAULTY(FAULT_CALL, int, io_uring_queue_init_params, -ENOMEM, ENOMEM,
       (unsigned int entries, struct io_uring *ring, struct io_uring_params *parameters), (entries, ring, parameters))
FAULTY(FAULT_CALL, int, io_uring_submit, -EAGAIN, EAGAIN, (struct io_uring * ring), (ring))

/* ---- Sockets ---- */

WAIT(ssize_t, recv, ECONNRESET, (int fd, void *data, size_t size, int flags), (fd, data, size, flags))
WAIT(ssize_t, send, EPIPE, (int fd, const void *data, size_t size, int flags), (fd, data, size, flags))
WAIT(ssize_t, sendmsg, EPIPE, (int fd, const struct msghdr *message, int flags), (fd, message, flags))
WAIT(int, connect, ECONNREFUSED, (int fd, const struct sockaddr *address, socklen_t size), (fd, address, size))
WAIT(int, accept4, EMFILE, (int fd, struct sockaddr *address, socklen_t *size, int flags), (fd, address, size, flags))
CALL(int, socket, EMFILE, (int domain, int type, int protocol), (domain, type, protocol))
CALL(int, socketpair, EMFILE, (int domain, int type, int protocol, int ends[2]), (domain, type, protocol, ends))
CALL(int, bind, EADDRINUSE, (int fd, const struct sockaddr *address, socklen_t size), (fd, address, size))
CALL(int, listen, EADDRINUSE, (int fd, int backlog), (fd, backlog))
CALL(int, shutdown, ENOTCONN, (int fd, int how), (fd, how))
CALL(int, setsockopt, ENOPROTOOPT, (int fd, int level, int name, const void *value, socklen_t size),
     (fd, level, name, value, size))
CALL(int, getsockopt, ENOBUFS, (int fd, int level, int name, void *value, socklen_t *size),
     (fd, level, name, value, size))
CALL(int, getsockname, ENOBUFS, (int fd, struct sockaddr *address, socklen_t *size), (fd, address, size))
CALL(int, getpeername, ENOTCONN, (int fd, struct sockaddr *address, socklen_t *size), (fd, address, size))
FAULTY(FAULT_CALL, int, getaddrinfo, EAI_MEMORY, ENOMEM,
       (const char *host, const char *port, const struct addrinfo *hints, struct addrinfo **found),
       (host, port, hints, found))
FAULTY(FAULT_CALL, int, getnameinfo, EAI_MEMORY, ENOMEM,
       (const struct sockaddr *address, socklen_t size, char *host, socklen_t host_size, char *port,
	socklen_t port_size, int flags),
       (address, size, host, host_size, port, port_size, flags))

/* ---- The fake host ---- */

/* A vCPU that cannot run, or tell what it wants, is the end of its guest. */
static int host_fails(enum fake_call call)
{
	if (call == FAKE_VCPU_RUN || call == FAKE_GET_X || call == FAKE_SET_X)
		return 0;
	return strikes(FAULT_HOST, "host") ? -EIO : 0;
}

void fault_open(int fd)
{
	void *place, *memory = mmap(NULL, sizeof(*board), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	if (memory == MAP_FAILED)
		fake_violation("no board of faults");
	/* The first one loads a library. */
	backtrace(&place, 1);
	board = memory;
	json_set_alloc_funcs(faulty_malloc, free);
	fake_set_fault(host_fails);
}
