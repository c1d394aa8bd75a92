/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Somebody who has taken over a thread of a monitor, as a guest might, and makes calls of their own in it: shows what
 * the sandbox holds.
 *
 * Policy: a thread is taken over in the midst of what it does, by a signal, so any thread of a machine that runs can
 * be. The signal says what to try. What is refused is told on standard error, and the thread goes on; what is not
 * in its list ends the program, as always. Only test builds have this.
 */
#ifndef INTRUDER_H
#define INTRUDER_H

#include <sys/types.h>

/* From here on this program has the intruder in it. */
void intruder_open(void);

/*
 * Has a thread of another program, by the name that the kernel shows, try one of the words execute, trace, fork,
 * machine, code, file, connect. 0 or a negative errno.
 */
int intruder_send(pid_t program, const char *thread, const char *word);

#endif
