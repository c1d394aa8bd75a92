/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Calls that KVM refuses for a moment: those that lock all vCPUs of a machine fail with -EBUSY while any thread is in a
 * call of one of them, and do not wait for it.
 *
 * Policy: tried again for about a second, which is far longer than any such call takes. What is still refused then is
 * refused.
 */
#ifndef VMM_BASE_BUSY_H
#define VMM_BASE_BUSY_H

/* 0 or -errno. */
typedef int (*busy_fn)(void *context);

/* Calls `attempt` until it returns anything but -EBUSY, and returns that; -EBUSY in the end. */
int busy_retry(busy_fn attempt, void *context);

#endif
