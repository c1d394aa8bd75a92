/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which files a thread may open from now on, and which TCP ports it may use.
 *
 * Policy: a set of rules allows what it names and nothing else. It holds for the thread that enters it and for those
 * that it makes, for good; what is open stays open. Whatever the kernel cannot hold anybody to is left out: who wants
 * to know asks for the version. A place that is not there is no error: nothing can be opened there either. Source:
 * landlock(7), linux/landlock.h, Documentation/userspace-api/landlock.rst.
 */
#ifndef VMM_HOST_LANDLOCK_H
#define VMM_HOST_LANDLOCK_H

#include <stdint.h>

/* The first versions of the kernel's interface that know files, and TCP ports (Linux 6.7). */
#define LANDLOCK_ABI_FILES 1
#define LANDLOCK_ABI_PORTS 4

/* Which TCP ports a set is about; those that it is about are closed unless a rule opens them. */
enum landlock_ports {
	LANDLOCK_PORTS_ALL,    /* to listen on, and to connect to */
	LANDLOCK_PORTS_LISTEN, /* to listen on alone */
};

enum landlock_access {
	LANDLOCK_READ,	/* files, and what is in folders */
	LANDLOCK_WRITE, /* the same; also to make, change, rename and remove files and sockets */
};

/* The version of the kernel's interface; 0: it has none, or it is switched off. */
int landlock_abi(void);

/* A new set, as a descriptor that is closed when a program is started; -errno. */
int landlock_make(enum landlock_ports ports);

/* One place with all that is below it. -errno; 0 if it is not there. */
int landlock_allow(int rules, const char *path, enum landlock_access access);
/* The folder of a file, which may be replaced by another one; where that is the root, the file alone. */
int landlock_allow_beside(int rules, const char *path, enum landlock_access access);
/* To connect to, in a set of LANDLOCK_PORTS_ALL. */
int landlock_allow_port(int rules, uint16_t port);

/* The calling thread, which can gain no new rights (process.h). -errno. Async-signal-safe. */
int landlock_enter(int rules);

#endif
