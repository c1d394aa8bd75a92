/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The log of chronyd, which disciplines a guest's clock.
 *
 * Policy: the words are those of chronyd 4.3 to 4.6, which Debian 12 and 13 have.
 */
#ifndef LAB_JUDGE_CHRONY_H
#define LAB_JUDGE_CHRONY_H

#include <stdint.h>

/* How often the log, ended by '\0', says that the clock was stepped. */
int64_t chrony_steps(const char *log);

#endif
