/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The guest kernel's log, through /dev/kmsg: what stamps it gives, and how many warnings are in it.
 */
#ifndef TEST_GUEST_PROBE_LOG_H
#define TEST_GUEST_PROBE_LOG_H

#include <stdbool.h>
#include <stdint.h>

/* Opens the log and lets this program write to it as often as it likes. Returns 0, or -errno. */
int log_open(void);

/* Writes a line and reads which stamp the kernel gave to it; ns, of whole microseconds. */
bool log_stamp(int64_t *ns);

/* Records since boot at the level of a warning or a more severe one, as far as they have been read by log_stamp. */
uint64_t log_warnings(void);

#endif
