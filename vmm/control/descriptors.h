/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Descriptors that go with a request over a control socket (SCM_RIGHTS in unix(7)): who names a file opens it, and the
 * monitor gets it open. Used by both ends.
 *
 * Policy: whoever receives some owns them, and closes those that nobody has taken.
 */
#ifndef VMM_CONTROL_DESCRIPTORS_H
#define VMM_CONTROL_DESCRIPTORS_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* At most, with one request. */
#define DESCRIPTORS_MAX 4u

struct descriptors {
	int fd[DESCRIPTORS_MAX];
	uint32_t count;
};

/* As send(2), which does not wait, with these; the bytes must not be none. */
ssize_t descriptors_send(int socket, const void *bytes, size_t size, const struct descriptors *descriptors);

/*
 * As recv(2), which does not wait, and adds those that came. -1 with EMSGSIZE if there are more than DESCRIPTORS_MAX in
 * all: then some are lost.
 */
ssize_t descriptors_receive(int socket, void *bytes, size_t size, struct descriptors *descriptors);

/* The first of them, which is the caller's from then on; -1 if there is none. */
int descriptors_take(struct descriptors *descriptors);

void descriptors_close(struct descriptors *descriptors);

#endif
