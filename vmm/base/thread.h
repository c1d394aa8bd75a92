/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The threads of a monitor, by kind.
 *
 * Policy: every thread but main() is started here, so that what holds for a kind of thread is said once for each kind,
 * and nobody starts one that has none. A thread has its kind's name, which ps(1), top(1) and debuggers show. What a
 * thread may not do is passed on to those that it makes (seccomp(2), landlock(7)). So threads_open() makes one that
 * does nothing but make all others, which then are held to what their own kind may do, and to nothing else.
 */
#ifndef VMM_BASE_THREAD_H
#define VMM_BASE_THREAD_H

#include "base/error.h"

#include <pthread.h>
#include <stdint.h>

enum thread_kind {
	THREAD_MAIN,	  /* main(): the control socket, the console's input, making and ending a machine */
	THREAD_MAKER,	  /* makes threads */
	THREAD_WRITER,	  /* writes the log, or a console */
	THREAD_VCPU,	  /* runs one vCPU */
	THREAD_TIMERS,	  /* a machine's synthetic timers, and its reset */
	THREAD_DISK,	  /* a disk that is a file or a block device */
	THREAD_NBD,	  /* a disk behind a server */
	THREAD_NET,	  /* a network device */
	THREAD_CLAIM,	  /* the lock of a disk's file */
	THREAD_VARIABLES, /* the file of the firmware's variables */
	THREAD_MIGRATION, /* the source of a migration */
	THREAD_SAVE,	  /* puts a machine into a file */
	THREAD_GROWTH,	  /* asks for the new size of a disk */
	THREAD_KERNEL,	  /* looks for the guest's kernel in its memory */
	THREAD_LOOKUP,	  /* looks a host's name up */
	THREAD_TEARDOWN,  /* sees to it that the end of a machine has a limit */
	THREAD_KINDS
};

/*
 * From here on threads are made by a thread of their own, and `guard` is the first that each calls, that one included;
 * before, whoever wants a thread makes it, and it has no guard. For the rest of the process's life.
 */
int threads_open(void (*guard)(enum thread_kind kind), struct error *error);

/*
 * As pthread_create() with no attributes: 0 or a positive errno. The thread has the caller's signal mask, whoever makes
 * it. With threads_open() the caller waits for the maker, which waits for nobody but the kernel.
 */
int thread_start(pthread_t *thread, enum thread_kind kind, void *(*run)(void *), void *context);

/* This thread is number n of its kind, as its name says from here on. */
void thread_number(uint32_t n);

/* "main", "vcpu" and so on. */
const char *thread_kind_name(enum thread_kind kind);

/* Of the calling thread; THREAD_MAIN if it was not started here. Async-signal-safe. */
enum thread_kind thread_kind(void);

#endif
