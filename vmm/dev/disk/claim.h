/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The claim to a file: the lock that says whose it is, and who waits for it.
 *
 * Policy: a file system of a server answers a call about locks when it likes, NFS not for the 90 s after its server has
 * started. So a thread makes these calls, one at a time, and whoever wants one made waits for the thread, and not for
 * longer than he says. The thread ends when there is nothing to do. It makes the lock what was asked for last: one that
 * comes when nobody waits for it any more is given back at once, and one that could not be given back in time is given
 * back later. Nothing is lost with the owner: the kernel drops the lock with the last descriptor of the open file.
 */
#ifndef VMM_DEV_DISK_CLAIM_H
#define VMM_DEV_DISK_CLAIM_H

#include <fcntl.h>
#include <stdbool.h>

struct claim;

/* fcntl() with F_OFD_SETLK or F_OFD_GETLK, which may block: 0 or a positive errno. */
typedef int (*claim_call_fn)(int fd, int command, struct flock *lock);

/* To all of an open file: with F_RDLCK or F_WRLCK. -errno if this host has no memory or descriptor. */
int claim_create(struct claim **claim, int fd, short type, claim_call_fn call);
/* The lock is given back with it; does not wait. */
void claim_close(struct claim *claim);

/*
 * -EAGAIN, -EACCES: another process has it; -ETIMEDOUT: there was no answer within the limit; -ENOMEM: this host has no
 * memory or thread for it, here as below; or another -errno.
 */
int claim_take(struct claim *claim, int limit_ms);
/* -ETIMEDOUT: it is there until there is an answer; or another -errno. */
int claim_drop(struct claim *claim, int limit_ms);
/* Whether another process has it locked for writing; -ETIMEDOUT or another -errno. */
int claim_look(struct claim *claim, bool *locked, int limit_ms);

/* The kernel's. */
int claim_call(int fd, int command, struct flock *lock);

#endif
